"""Which device of WhatsApp's store is an account's: made by pairing, gone when it is logged out.

Beside the log, which holds no number, as the device's JID does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from outbox.log.database import query

if TYPE_CHECKING:
    from datetime import datetime

    from outbox.log.database import Connection


def login_of(connection: Connection, account: str) -> str | None:
    """Return the JID of an account's device, or None if it has to be paired."""
    row = connection.execute(
        "select jid from outbox.login where account = %s", (account,)
    ).fetchone()
    return row[0] if row else None


def record_login(connection: Connection, account: str, jid: str) -> None:
    """Keep the JID of the device with which an account has been paired, instead of an earlier one.

    Raises:
        psycopg.errors.UniqueViolation: Another account has this device.
    """
    connection.execute(
        "insert into outbox.login (account, jid) values (%s, %s)"
        " on conflict (account) do update set jid = excluded.jid, paired_at = excluded.paired_at",
        (account, jid),
    )


def forget_login(connection: Connection, account: str) -> None:
    """Forget an account's device: it is logged out."""
    connection.execute("delete from outbox.login where account = %s", (account,))


@dataclass(frozen=True, slots=True)
class Login:
    """An account, where its connection stands, and as whom it is paired."""

    account: str
    state: str
    reason: str | None
    reconnect_at: datetime | None
    connected_at: datetime | None
    jid: str | None
    """Of its device; None if it has to be paired."""
    paired_at: datetime | None
    now: datetime
    """The database's time."""


def logins(connection: Connection) -> list[Login]:
    """Return every account that a worker has owned or that was paired."""
    with connection.cursor(row_factory=class_row(Login)) as cursor:
        return cursor.execute(query("logins")).fetchall()
