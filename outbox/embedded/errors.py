"""What can go wrong with the embedded PostgreSQL."""


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot do what was asked; the message says why."""


class NotInstalledError(EmbeddedError):
    """The wheel with PostgreSQL's programs is not installed."""
