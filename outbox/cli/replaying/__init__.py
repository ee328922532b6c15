"""What `outbox replay` does, one file a mode."""
