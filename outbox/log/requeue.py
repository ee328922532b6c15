"""Many notifications given a new start at once, in batches that each are one statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from outbox.log.database import query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta

    from outbox.log.database import Connection

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Choice:
    """Which notifications: dead letters by their states, or those of unknown outcome."""

    states: Sequence[str]
    """All of them ended without success, or `unknown` alone."""
    account: str | None = None
    error_like: str | None = None
    """A pattern of LIKE that the last error fits, whatever its case."""

    def values(self) -> dict[str, Any]:
        """Return the parameters of the queries."""
        return {
            "states": list(self.states),
            "unsettled": list(self.states) == ["unknown"],
            "account": self.account,
            "error_like": self.error_like,
        }


def count(connection: Connection, choice: Choice) -> int:
    """Return how many notifications are chosen."""
    row = connection.execute(query("requeue_count"), choice.values(), prepare=False).fetchone()
    return int(row[0]) if row else 0


def requeue(
    connection: Connection,
    choice: Choice,
    *,
    expires_in: timedelta | None = None,
    reason: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Give each of the chosen a new start, and return how many.

    Every batch is a transaction of its own; repeated after an error, the rest is requeued.

    Args:
        connection: Where to, in no transaction.
        choice: Which.
        expires_in: From now on; the account's policy's unless given.
        reason: For whoever reads the log.
        metadata: Kept with the events.
        progress: Called with the number of each batch.
    """
    total, after = 0, None
    while True:
        values = choice.values() | {
            "after": after,
            "limit": _BATCH,
            "expires_in": expires_in,
            "reason": reason,
            "metadata": Jsonb(metadata or {}),
        }
        with connection.transaction():
            rows = connection.execute(query("requeue"), values, prepare=False).fetchall()
            for account in {account for _, account in rows}:
                connection.execute("select outbox.wake(%s)", (account,))
        total += len(rows)
        progress(len(rows))
        if len(rows) < _BATCH:
            return total
        after = rows[-1][0]
