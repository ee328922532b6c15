"""Restores: a logical one starts transaction ids again, and the log begins a new epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from outbox.log.database import Connection


class RestoreEpoch(NamedTuple):
    """The part of the log's life since the latest restore."""

    number: int
    restored_through: int
    """Events up to this position came with the restore; their transaction ids mean nothing now."""


def begin(connection: Connection) -> RestoreEpoch:
    """Begin a new epoch if the database has been restored since, and return the one that holds.

    To be called at start-up, before anything follows the log; not inside a savepoint.
    """
    row = connection.execute(
        "select epoch, restored_through from outbox.restore_epoch"
        " where epoch = outbox.begin_epoch()"
    ).fetchone()
    if row is None:  # the row is newer than the statement's snapshot
        return begin(connection)
    return RestoreEpoch(*row)
