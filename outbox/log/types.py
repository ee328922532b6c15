"""The types of event that the stream of a notification has; a connection's the database lists.

The database knows them by what its projection does with each, and a test compares the two.
"""

from __future__ import annotations

from typing import Final

NOTIFICATION: Final = (
    "enqueued",
    "attempt_started",
    "sent",
    "attempt_failed",
    "attempt_unknown",
    "rejected",
    "delivered",
    "read",
    "played",
    "expired",
    "exhausted",
    "cancelled",
    "requeued",
)
"""In the order in which they may come."""
