"""What an owner reads to know its queue: pages of what is due, arrivals, what comes due later."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from outbox.log.database import query

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from outbox.log.database import Connection


class Entry(NamedTuple):
    """A notification in the queue."""

    id: UUID
    recipient: UUID
    priority: int
    position: int
    """Of its `enqueued` event: the order of enqueueing."""


class Arrivals(NamedTuple):
    """What the queue has gained since a snapshot."""

    snapshot: str
    """What this look saw; the next one begins there."""
    now: float
    """The database's time, in seconds since 1970."""
    due: list[Entry]
    next_due_at: float | None
    """When the first of those that are to wait comes due."""


class Ripe(NamedTuple):
    """What has come due, and when the next will."""

    now: float
    next_due_at: float | None
    due: list[Entry]


class Unsettled(NamedTuple):
    """An attempt whose outcome is unknown."""

    id: UUID
    recipient: UUID
    attempt: int
    message_id: str | None
    """Known once a trace has been found."""
    on_unknown: str
    traceable: bool = True
    """Whether it would have left a trace that can still be found: the login is the same still."""

    @property
    def lacks_trace(self) -> bool:
        """Whether its trace is to be looked for."""
        return self.message_id is None and self.traceable

    @property
    def holds_up(self) -> bool:
        """Whether its recipient waits for it: it may have to be sent again."""
        return self.on_unknown == "resend"


def arrivals(connection: Connection, account: str, seen: str, restored_through: int) -> Arrivals:
    """Return what has been enqueued or requeued and was not visible in the snapshot `seen`.

    Args:
        connection: Where to.
        account: The account.
        seen: A snapshot, as `snapshot` or an earlier call gave it.
        restored_through: Of the restore epoch that holds.
    """
    rows = connection.execute(
        query("arrivals"),
        {"account": account, "seen": seen, "restored_through": restored_through},
        prepare=True,
    ).fetchall()
    snapshot, now = rows[0][0], rows[0][6]
    due: list[Entry] = []
    next_due_at: float | None = None
    for _, notification, recipient, priority, position, due_at, _ in rows:
        if notification is None:
            continue
        if due_at is None or due_at <= now:
            due.append(Entry(notification, recipient, priority, position))
        elif next_due_at is None or due_at < next_due_at:
            next_due_at = due_at
    return Arrivals(snapshot, now, due, next_due_at)


def page(connection: Connection, account: str, behind: tuple[int, int], limit: int) -> list[Entry]:
    """Return the next entries that are due, behind a place (priority, position) in the queue."""
    rows = connection.execute(
        query("queue_page"),
        {"account": account, "priority": behind[0], "position": behind[1], "limit": limit},
    )
    return [Entry(*row) for row in rows]


def ripe(connection: Connection, account: str, since: float) -> Ripe:
    """Return what has come due since a moment (seconds since 1970) and when the next will."""
    rows = connection.execute(query("queue_ripe"), {"account": account, "since": since}).fetchall()
    return Ripe(rows[0][0], rows[0][1], [Entry(*row[2:]) for row in rows if row[2] is not None])


def waiting(connection: Connection, account: str) -> list[tuple[UUID, float]]:
    """Return the recipients to whom nothing is sent before a moment (seconds since 1970)."""
    rows = connection.execute(query("queue_waiting"), {"account": account})
    return [(recipient, until) for recipient, until in rows]


def entries(connection: Connection, notifications: Sequence[UUID]) -> list[Entry]:
    """Return these notifications as entries, so far as they are pending."""
    rows = connection.execute(query("queue_entries"), {"notifications": list(notifications)})
    return [Entry(*row) for row in rows]


def unsettled(connection: Connection, account: str) -> list[Unsettled]:
    """Return the attempts of an account whose outcome is unknown."""
    return [Unsettled(*row) for row in connection.execute(query("unsettled"), {"account": account})]


def stranded(
    connection: Connection, account: str, known: Iterable[UUID]
) -> list[tuple[Entry, int]]:
    """Return attempts, with their numbers, that the log has as started and nobody knows of."""
    rows = connection.execute(query("stranded"), {"account": account, "known": list(known)})
    return [(Entry(*row[:4]), row[4]) for row in rows]


def snapshot(connection: Connection) -> tuple[str, float]:
    """Return the snapshot from which arrivals may be followed, and the database's time."""
    row = connection.execute(
        "select pg_current_snapshot()::text, extract(epoch from statement_timestamp())::float8"
    ).fetchone()
    if row is None:
        raise RuntimeError("a select without a table returned no row")
    return row[0], row[1]
