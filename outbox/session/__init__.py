"""Sessions: the port, and its implementations, each a module of its own."""
