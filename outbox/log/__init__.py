"""The log and what is computed from it: the only rooms of the outbox that talk to the database."""
