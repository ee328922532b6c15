"""The state of everything at a glance: accounts, their owners and queues, and the log's upkeep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

from outbox.log import webhooks
from outbox.log.database import query

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from outbox.log.database import Connection
    from outbox.log.webhooks import Webhook

NEWEST = 10_000
"""Among how many of the newest events the last one sent is looked for."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where an account stands."""

    account: str
    state: str
    """Its connection's, as in `outbox.connection`."""
    reason: str | None
    failures: int
    """Connections in a row that ended or failed."""
    reconnect_at: datetime | None
    connected_at: datetime | None
    changed_at: datetime | None
    owner: UUID | None
    epoch: int
    lease_until: datetime | None
    lapsed: bool
    """The owner did not renew its lease in time, and nobody has rescued it yet."""
    worker: Mapping[str, Any] | None
    """What the owner's worker says of itself: host, process, version."""
    pending: int
    due: int
    """Those of the pending that could be sent now."""
    sending: int
    unknown: int
    held: int
    """Those of the unknown that wait for an operator."""
    oldest: datetime | None
    """When the oldest that is not sent was enqueued."""
    oldest_due_at: datetime | None
    """Since when the one has been due that has waited for its attempt for the longest."""
    next_due_at: datetime | None
    waiting_recipients: int
    """Recipients to whom nothing is sent before their retry."""
    dead: Mapping[str, int]
    """What ended without success, by state."""
    strangers_a_day: int
    """How many people may be written to for the first time within 24 hours."""
    messages_a_minute: float
    lacks_ffmpeg: bool
    """Its owner's worker cannot convert sound."""
    paced: bool
    """Its messages are paced; otherwise the five below are None."""
    next_send_at: datetime | None
    next_send_reason: str | None
    """`pace` or `throttled`; None if it may be now."""
    strangers_left: int | None
    next_stranger_at: datetime | None
    next_stranger_reason: str | None
    """`strangers` or `restricted`; None if it may be now."""
    last_sent_at: datetime | None = None
    """None also if that was more than `NEWEST` events ago."""

    @property
    def open(self) -> int:
        """How many notifications have not ended yet."""
        return self.pending + self.sending + self.unknown

    @property
    def owned(self) -> bool:
        """Whether a worker holds the account."""
        return self.owner is not None and not self.lapsed


@dataclass(frozen=True, slots=True)
class Database:
    """What the database says of itself and of the log."""

    now: datetime
    database: str
    server_version: str
    restore_epoch: int
    restored_at: datetime
    """When this epoch began: at the creation or the latest logical restore."""
    partitions: int
    partitions_until: datetime | None
    """Events later than this have no partition yet."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of everything."""

    database: Database
    accounts: list[Account]
    webhooks: list[Webhook]


def overview(connection: Connection) -> Overview:
    """Return the state of everything, all of one moment."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        with connection.cursor(row_factory=class_row(Database)) as cursor:
            database = cursor.execute(query("status_database")).fetchone()
        if database is None:
            raise RuntimeError("the outbox has no restore epoch, which its first migration writes")
        with connection.cursor(row_factory=class_row(Account)) as cursor:
            accounts = cursor.execute(query("status_accounts")).fetchall()
        sent: dict[str, datetime] = dict(
            connection.execute(query("status_last_sent"), {"events": NEWEST}).fetchall()
        )
        hooks = webhooks.listed(connection)
    return Overview(
        database, [replace(one, last_sent_at=sent.get(one.account)) for one in accounts], hooks
    )
