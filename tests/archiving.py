"""A log of two months that are over and one that is not, sealed, for the tests of archives."""

import json
from typing import Any
from uuid import UUID

import psycopg

from outbox.log.seal import seal
from tests.account import Account

JANUARY, FEBRUARY = "event_2026_01", "event_2026_02"
BODY = '{"kind": "text", "text": "Your order has shipped."}'


def tell(
    connection: psycopg.Connection,
    at: str,
    stream: UUID,
    version: int,
    type_: str,
    **data: Any,  # noqa: ANN401 - whatever an event says
) -> None:
    """Append an event as of a moment in the past."""
    connection.execute(
        "insert into outbox.event (recorded_at, account, stream, version, type, data)"
        " values (%s, 'main', %s, %s, %s, %s)",
        (f"{at}Z", stream, version, type_, json.dumps(data)),
    )


def enqueue(connection: psycopg.Connection, at: str, number: int) -> UUID:
    """Enqueue as of a moment in the past."""
    stream = UUID(int=number)
    tell(
        connection,
        at,
        stream,
        1,
        "enqueued",
        recipient=str(UUID(int=1000 + number % 2)),
        content="00",
        priority=0,
        max_attempts=3,
        on_unknown="resend",
        expires_at="2999-01-01T00:00:00Z",
    )
    return stream


def two_months(connection: psycopg.Connection) -> list[UUID]:
    """Tell of four notifications: one in each month, one in both, and one that is enqueued now."""
    for day in ("2026-01-01", "2026-02-01"):
        connection.execute("select outbox.create_partition(%s)", (day,))
    connection.execute("insert into outbox.content (digest, body) values ('\\x00', %s)", (BODY,))
    for number in range(2):
        connection.execute(
            "insert into outbox.identity (recipient, jid) values (%s, %s)",
            (UUID(int=1000 + number), f"4477009000{number:02}@s.whatsapp.net"),
        )
    one = enqueue(connection, "2026-01-05 10:00", 1)
    tell(connection, "2026-01-05 10:00:01", one, 2, "attempt_started", attempt=1)
    tell(connection, "2026-01-05 10:00:02", one, 3, "sent", attempt=1, message_id="A")
    two = enqueue(connection, "2026-01-31 23:59", 2)
    tell(connection, "2026-01-31 23:59:30", two, 2, "attempt_started", attempt=1)
    assert len(list(seal(connection))) == 1
    tell(connection, "2026-02-01 00:00:01", two, 3, "sent", attempt=1, message_id="B")
    tell(connection, "2026-02-01 00:00:02", two, 4, "delivered")
    three = enqueue(connection, "2026-02-10 12:00", 3)
    tell(connection, "2026-02-10 12:01", three, 2, "cancelled", state="pending")
    four = Account(connection).enqueue()
    assert len(list(seal(connection))) == 1
    return [one, two, three, four]


def everything(connection: psycopg.Connection) -> dict[str, list[Any]]:
    """Return all events and all rows of the projections."""
    return {
        name: connection.execute(f"select to_jsonb(t) from outbox.{name} t order by 1").fetchall()  # noqa: S608 - ours
        for name in ("event", "notification", "recipient", "connection")
    }
