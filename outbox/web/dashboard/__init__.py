"""The pages: what an operator looks at and does in a browser. See docs/dashboard.md."""
