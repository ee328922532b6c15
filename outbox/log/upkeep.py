"""What the log needs now and then: partitions made ahead, what is late ended, bodies erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outbox.log.database import Connection

_BATCH = 1000


def expire(connection: Connection) -> int:
    """End what was not sent in time, in batches, and return how many."""
    total = 0
    while True:
        row = connection.execute("select outbox.expire(%s)", (_BATCH,)).fetchone()
        expired = int(row[0]) if row else 0
        total += expired
        if expired < _BATCH:
            return total


def erase_bodies(connection: Connection) -> int:
    """Erase the bodies whose time is over, in batches, and return how many."""
    total = 0
    while True:
        row = connection.execute(
            "select looked, erased from outbox.erase_bodies(%s)", (_BATCH,)
        ).fetchone()
        looked, erased = row or (0, 0)
        total += int(erased)
        if looked < _BATCH:
            return total


def create_partitions(connection: Connection) -> int:
    """Make the log's partitions of the coming months, and return how many were missing."""
    row = connection.execute("select outbox.create_partitions()").fetchone()
    return int(row[0]) if row else 0
