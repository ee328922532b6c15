"""Notifications as an operator finds, lists, withdraws and requeues them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from outbox.errors import OutboxError, refusal
from outbox.log.database import query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from outbox.log.database import Connection

OPEN = ("pending", "sending", "unknown")
"""The states in which something is still to come."""
SENT = ("sent", "delivered", "read", "played")
"""The states of what the server has acknowledged."""
DEAD = ("rejected", "expired", "exhausted", "cancelled")
"""The states of what ended without success."""
STATES = (*OPEN, *SENT, *DEAD)

_SLACK = timedelta(hours=1)
"""How much earlier or later than its enqueueing a notification's id may have been made."""
_PREFIX = re.compile("[0-9a-f]{4,32}")


class AmbiguousIdError(OutboxError):
    """The beginning of an id that several notifications share."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A notification in a list."""

    id: UUID
    account: str
    jid: str | None
    """None when the recipient has been erased."""
    kind: str | None
    """None when the content has been erased."""
    items: int | None
    """How many an album has."""
    state: str
    priority: int
    enqueued_at: datetime
    due_at: datetime
    expires_at: datetime
    changed_at: datetime
    sent_at: datetime | None
    attempts: int
    failures: int
    max_attempts: int
    deferred: bool
    on_unknown: str
    message_id: str | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything about one notification but its events."""

    id: UUID
    account: str
    jid: str | None
    body: Mapping[str, Any] | None
    """None when the content has been erased."""
    digest: str
    """Of the content, in hexadecimal."""
    state: str
    version: int
    priority: int
    enqueued_at: datetime
    due_at: datetime
    expires_at: datetime
    changed_at: datetime
    sent_at: datetime | None
    attempts: int
    failures: int
    max_attempts: int
    deferred: bool
    on_unknown: str
    message_id: str | None
    last_error: str | None
    mime: str | None
    """The type of its media, if it has one and that is still stored."""
    size: int | None
    """Bytes of its media, all of an album's together; None if some of them have been erased."""
    recipient_retry_at: datetime | None
    recipient_failures: int
    connection_state: str | None
    """Of its account; None if that was never owned."""
    reconnect_at: datetime | None
    owned: bool
    """Whether a worker holds its account."""
    grace: timedelta
    now: datetime
    """The database's time."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a notification."""

    version: int
    recorded_at: datetime
    type: str
    data: Mapping[str, Any]
    metadata: Mapping[str, Any]
    worker: Mapping[str, Any] | None
    """What the worker that recorded it says of itself, if a worker did."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which notifications; what is not given does not matter."""

    account: str | None = None
    states: Sequence[str] = ()
    jid: str | None = None
    kind: str | None = None
    since: datetime | None = None
    """Enqueued then or later."""
    until: datetime | None = None
    """Enqueued earlier."""


def listing(
    connection: Connection, which: Filter, limit: int, after: UUID | None = None
) -> list[Listed]:
    """Return notifications, the newest first.

    Args:
        connection: Where to.
        which: Those that are wanted.
        limit: How many at most.
        after: The last one of the page before.
    """
    recipient = None
    if which.jid is not None:
        row = connection.execute(
            "select recipient from outbox.identity where jid = %s", (which.jid,)
        ).fetchone()
        if row is None:
            return []
        recipient = row[0]
    values = {
        "after": after,
        "account": which.account,
        "states": list(which.states) or None,
        "open": bool(which.states) and set(which.states) <= set(OPEN),
        "dead": bool(which.states) and set(which.states) <= set(DEAD),
        "recipient": recipient,
        "kind": which.kind,
        "since": which.since,
        "until": which.until,
        "first_id": which.since and _id_at(which.since - _SLACK),
        "last_id": which.until and _id_at(which.until + _SLACK),
        "limit": limit,
    }
    with connection.cursor(row_factory=class_row(Listed)) as cursor:
        return cursor.execute(query("list"), values, prepare=False).fetchall()


def find(connection: Connection, start: str) -> UUID:
    """Return the notification whose id this is, or begins with this.

    Args:
        connection: Where to.
        start: An id, or at least four of its first hexadecimal digits; hyphens do not matter.

    Raises:
        UnknownNotification: There is none.
        AmbiguousIdError: There are several.
    """
    digits = start.strip().lower().replace("-", "")
    if not _PREFIX.fullmatch(digits):
        raise refusal("unknown_notification", start)
    found = connection.execute(
        "select id from outbox.notification where id between %s and %s order by id limit 6",
        (UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))),
    ).fetchall()
    if not found:
        raise refusal("unknown_notification", start)
    ids = [str(row[0]) for row in found]
    if len(ids) > 1:
        shown = ", ".join(ids[:5]) + (" and more" if len(ids) > 5 else "")  # noqa: PLR2004
        raise AmbiguousIdError(f"Several ids begin with {start}: {shown}. Give more of its digits.")
    return UUID(ids[0])


def show(connection: Connection, notification: UUID) -> Shown:
    """Return everything about a notification.

    Raises:
        UnknownNotification: There is none with this id.
    """
    with connection.cursor(row_factory=class_row(Shown)) as cursor:
        shown = cursor.execute(query("show"), {"id": notification}).fetchone()
    if shown is None:
        raise refusal("unknown_notification", str(notification))
    return shown


def timeline(connection: Connection, notification: UUID) -> list[Happened]:
    """Return the events of a notification in their order."""
    with connection.cursor(row_factory=class_row(Happened)) as cursor:
        return cursor.execute(query("timeline"), {"id": notification}).fetchall()


def clock(connection: Connection) -> datetime:
    """Return the database's time, by which its times are to be judged."""
    row = connection.execute("select statement_timestamp()").fetchone()
    if row is None or not isinstance(row[0], datetime):
        raise RuntimeError("a select without a table returned no row")
    return row[0]


def positions_since(connection: Connection, moment: datetime) -> int:
    """Return how many positions the log's end lies behind what was recorded at a moment or later.

    Counted back by the index of transactions, further and further, so it costs what it skips.
    """
    events = 1000
    while True:
        row = connection.execute(
            query("first_since"), {"since": moment, "events": events}, prepare=False
        ).fetchone()
        if row is None or row[1]:
            break
        events *= 10
    if row is None or row[0] is None:
        return 0
    last = connection.execute("select last_value from outbox.event_position").fetchone()
    return int(last[0]) - int(row[0]) + 1 if last else 0


def cancel(
    connection: Connection,
    notifications: Sequence[UUID],
    reason: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Withdraw notifications, all or none; what is cancelled already stays so.

    Args:
        connection: Where to.
        notifications: Which.
        reason: For whoever reads the log.
        metadata: Kept with the events.

    Raises:
        WrongState: One has been sent, is being sent, or has ended.
        UnknownNotification: There is none with one of the ids.
    """
    connection.execute(
        "select outbox.cancel(id, %s, %s) from unnest(%s::uuid[]) as given (id)",
        (reason, Jsonb(metadata or {}), list(notifications)),
    )


def requeue(
    connection: Connection,
    notifications: Sequence[UUID],
    expires_in: timedelta | None = None,
    reason: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Give notifications a new start, all or none.

    Args:
        connection: Where to.
        notifications: Which.
        expires_in: From now on; the account's policy's unless given.
        reason: For whoever reads the log.
        metadata: Kept with the events.

    Raises:
        WrongState: One has not ended without success, nor is its outcome unknown.
        UnknownNotification: There is none with one of the ids.
    """
    connection.execute(
        "select outbox.requeue(id, %s, %s, %s) from unnest(%s::uuid[]) as given (id)",
        (expires_in, reason, Jsonb(metadata or {}), list(notifications)),
    )


def resume(connection: Connection, account: str, metadata: Mapping[str, Any] | None = None) -> None:
    """Let an account's connection be built again now.

    Args:
        connection: Where to.
        account: Whose.
        metadata: Kept with the event.

    Raises:
        UnknownAccount: No worker has ever owned it.
    """
    connection.execute("select outbox.resume(%s, %s)", (account, Jsonb(metadata or {})))


def _id_at(moment: datetime) -> UUID:
    """Return the least id that is made at a moment: the milliseconds since 1970 come first."""
    milliseconds = max(int(moment.astimezone(UTC).timestamp() * 1000), 0)
    return UUID(int=milliseconds << 80)
