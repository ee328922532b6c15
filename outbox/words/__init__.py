"""What the outbox says to people, on every surface: plain text, and which colour suits it."""
