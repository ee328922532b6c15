"""The HTTP API: the outbox for programs that have no connection to its database."""
