"""An account's connection in the log: its transitions, and where it stands."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.types.json import Jsonb

from outbox.log.database import query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outbox.log.database import Connection


class ConnectionState(NamedTuple):
    """Where an account's connection stands."""

    state: str
    reconnect_at: float | None
    """When to connect again, in seconds since 1970; None if not by itself."""
    now: float


def record_transition(
    connection: Connection,
    account: str,
    epoch: int,
    type: str,  # noqa: A002  # the field's name everywhere
    *,
    reason: str = "",
    retry_after: float | None = None,
    by: Mapping[str, Any] | None = None,
) -> None:
    """Append what happened to the connection; the log itself schedules when to connect again.

    Args:
        connection: Where to.
        account: The account.
        epoch: The owner's.
        type: A type of event of a connection's stream.
        reason: Why, for whoever reads the log.
        retry_after: Seconds until a temporary ban ends.
        by: Who caused it, for the event's metadata.

    Raises:
        StaleEpoch: The lease is held no more.
    """
    pause = None if retry_after is None else timedelta(seconds=retry_after)
    connection.execute(
        "select outbox.record_transition(%s, %s, %s, %s, %s, %s)",
        (account, epoch, type, reason, pause, Jsonb(dict(by or {}))),
    )


def connection_state(connection: Connection, account: str) -> ConnectionState | None:
    """Return where the account's connection stands, or None if it never had one."""
    row = connection.execute(query("connection_state"), {"account": account}).fetchone()
    return ConnectionState(*row) if row else None
