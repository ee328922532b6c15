"""The suppression list: who is not to be written to, by which account, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID  # noqa: TC003 - read by the web's models

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from outbox.log.database import query

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any, LiteralString

    from outbox.log.database import Connection


@dataclass(frozen=True, slots=True)
class Suppression:
    """A recipient who is not to be written to."""

    recipient: UUID
    """Stands for them in the log."""
    jid: str | None
    """None when the recipient has been erased."""
    account: str
    """By whom; `*` stands for all accounts."""
    suppressed_at: datetime
    reason: str | None


def suppress(
    connection: Connection,
    recipient: str,
    account: str | None = None,
    reason: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> int:
    """Let a person be written to no more, and return how many notifications that cancelled.

    Args:
        connection: Where to.
        recipient: A number in international form, a JID or a recipient's id.
        account: By whom; None for all accounts.
        reason: What a refused enqueue is told; the log keeps it for ever.
        metadata: Kept with the events.

    Raises:
        InvalidRecipient: It is none of these.
        UnknownRecipient: There is none with this id.
        InvalidOption: It is no name of an account.
        VersionConflict: Somebody else did the same at the same moment.
    """
    values = (recipient, account, reason, Jsonb(metadata or {}))
    return _number(connection, "select outbox.suppress(%s, %s, %s, %s)", values)


def record_consent(
    connection: Connection, account: str, epoch: int, jid: str, word: str, *, opts_out: bool
) -> bool:
    """Record that a person opted out of an account's messages, or in again, by a word they wrote.

    Args:
        connection: Where to.
        account: Whose messages.
        epoch: Of the lease.
        jid: The person's.
        word: What they wrote.
        opts_out: They opt out; otherwise in.

    Returns:
        Whether that changed anything.

    Raises:
        StaleEpoch: Somebody else owns the account.
        VersionConflict: Somebody else did the same at the same moment.
    """
    statement = "select outbox.record_consent(%s, %s, %s, %s, %s)"
    row = connection.execute(statement, (account, epoch, jid, word, opts_out)).fetchone()
    return row == (True,)


def unsuppress(
    connection: Connection,
    recipient: str,
    account: str | None = None,
    reason: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> int:
    """Allow that a person is written to again, and return how many suppressions that ended.

    Args:
        connection: Where to.
        recipient: A number in international form, a JID or a recipient's id.
        account: Only its suppression; None for every one.
        reason: For whoever reads the log.
        metadata: Kept with the events.

    Raises:
        InvalidRecipient: It is none of these.
    """
    values = (recipient, account, reason, Jsonb(metadata or {}))
    return _number(connection, "select outbox.unsuppress(%s, %s, %s, %s)", values)


def listing(
    connection: Connection,
    limit: int,
    *,
    account: str | None = None,
    recipient: str | None = None,
) -> list[Suppression]:
    """Return the suppressions in force, the latest first.

    Args:
        connection: Where to.
        limit: How many at most.
        account: Only those that hold for it.
        recipient: Only this person's: a number in international form, a JID or an id.

    Raises:
        InvalidRecipient: It is none of these.
    """
    values = {"account": account, "recipient": recipient, "limit": limit}
    with connection.cursor(row_factory=class_row(Suppression)) as cursor:
        return cursor.execute(query("suppressions"), values, prepare=False).fetchall()


def _number(connection: Connection, statement: LiteralString, values: tuple[object, ...]) -> int:
    row = connection.execute(statement, values).fetchone()
    if row is None:
        raise RuntimeError("a select without a table returned no row")
    return int(row[0])
