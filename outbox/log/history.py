"""How an account's connection fared: its states one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from outbox.log.database import query

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from outbox.log.database import Connection


@dataclass(frozen=True, slots=True)
class Span:
    """A time during which a connection was in one state."""

    account: str
    state: str
    """As in `outbox.connection`."""
    reason: str | None
    """Of the event with which it began."""
    began: datetime
    ended: datetime
    """The moment of the query, for the state that lasts."""


def connection_history(connection: Connection, back: timedelta) -> list[Span]:
    """Return the states of every account's connection, account by account, the oldest first.

    Args:
        connection: Where to.
        back: Since how long ago; a state that began earlier is cut there.
    """
    with connection.cursor(row_factory=class_row(Span)) as cursor:
        return cursor.execute(query("connection_history"), {"back": back}, prepare=False).fetchall()
