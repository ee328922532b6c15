"""Accepting what is written as JSON, and reading what people write for times and durations."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.json import Jsonb

# What the database refuses is raised by its class only where the classes are known.
import outbox.errors  # noqa: F401
from outbox.log.database import query

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from outbox.log.database import AsyncConnection, Connection


def accept(
    connection: Connection, notifications: Sequence[Mapping[str, Any]], account: str
) -> list[UUID]:
    """Accept notifications, all or none, and return their ids in the order given.

    Args:
        connection: Where to; within its transaction, if it has one.
        notifications: Each with the parameters of the SQL function `outbox.enqueue`.
        account: Who sends them.

    Raises:
        Refused: One breaks a rule; the sentence says which by "number … of the batch".
        psycopg.DataError: An option cannot be read as what it should be.
    """
    rows = connection.execute(
        "select id from outbox.enqueue_batch(%s, %s)", (Jsonb(list(notifications)), account)
    )
    return [notification for (notification,) in rows]


async def accept_together(
    connection: AsyncConnection,
    notifications: Sequence[Mapping[str, Any]],
    account: str,
    *,
    digests: Collection[bytes],
    scope: str,
) -> list[UUID]:
    """Accept notifications of several callers in a transaction of their own, all or none.

    It is one round trip to the database, and waits a tenth of a second for a lock at most, since
    those who come together did not ask to wait for each other.

    Args:
        connection: Where to; not within a transaction.
        notifications: Each with the parameters of the SQL function `outbox.enqueue`.
        account: Who sends them.
        digests: Of the tokens of the callers.
        scope: What all these tokens have to be valid for.

    Raises:
        Refused: One breaks a rule, or a token is not valid for this.
        psycopg.Error: As for `accept`; or somebody holds a lock.
    """
    given = {
        "notifications": Jsonb(list(notifications)),
        "digests": list(digests),
        "account": account,
        "scope": scope,
    }
    # Of several statements in one message the server binds no parameters.
    async with psycopg.AsyncClientCursor(connection) as cursor:
        await cursor.execute(query("accept_together"), given)
        while cursor.nextset():
            pass
        return [notification for (notification,) in await cursor.fetchall()]


def store_media(connection: Connection, data: bytes, mime: str) -> str:
    """Keep media and return the digest that a content names them by.

    Raises:
        MediaTooLarge: They are larger than those of any kind may be.
        UnusableMedia: There are no bytes, or the type is none.
    """
    row = connection.execute("select outbox.store_media(%s, %s)", (data, mime)).fetchone()
    if row is None:
        raise RuntimeError("a select without a table returned no row")
    return str(row[0])


def duration(connection: Connection, text: str) -> timedelta:
    """Return a duration as PostgreSQL reads it: 30s, 2h, 1 day, 1:30.

    Raises:
        ValueError: It is none.
    """
    try:
        row = connection.execute("select justify_hours(%s::interval)", (text,)).fetchone()
    except psycopg.DataError:
        raise ValueError(f"{text!r} is no duration like 30s, 2h or '1 day'") from None
    if row is None or not isinstance(row[0], timedelta):
        raise ValueError(f"{text!r} is no duration like 30s, 2h or '1 day'")
    return row[0]


def moment(connection: Connection, text: str, sign: int) -> datetime:
    """Return a moment, written in ISO 8601 or as a duration from now by the database's clock.

    Args:
        connection: Where to.
        text: A moment without an offset is in this machine's time zone.
        sign: -1 if a duration counts back from now, 1 if it counts ahead.

    Raises:
        ValueError: It is neither.
    """
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        pass
    try:
        length = duration(connection, text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a time like 2026-01-31T12:00 nor a duration like 30s or 2h"
        ) from None
    row = connection.execute("select statement_timestamp() + %s", (sign * length,)).fetchone()
    if row is None or not isinstance(row[0], datetime):
        raise RuntimeError("a select without a table returned no row")
    return row[0]
