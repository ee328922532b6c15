"""How far the named followers of the log are behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from outbox.log.database import query

if TYPE_CHECKING:
    from outbox.log.database import Connection


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a follower is behind."""

    consumer: str
    """The name of its cursor."""
    positions: int
    """Given out since the first event that it has not seen; at least as many as it has to read."""
    seconds: float
    """The age of that event, by the database's clock."""
    position: int | None = None
    """The position of that event; None if there is none."""


def lags(connection: Connection) -> list[Lag]:
    """Return how far each named follower is behind: by 0 where it has nothing to read."""
    with connection.cursor(row_factory=class_row(Lag)) as cursor:
        return cursor.execute(query("followers"), prepare=False).fetchall()
