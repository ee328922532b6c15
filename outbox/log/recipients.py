"""Recipients and their retry counters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID  # noqa: TC003 - read by the web's models

from psycopg.rows import class_row

from outbox.log.database import query

if TYPE_CHECKING:
    from datetime import datetime

    from outbox.log.database import Connection


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient of an account."""

    account: str
    id: UUID
    """Stands for the recipient in the log."""
    jid: str | None
    """None when the recipient has been erased."""
    failures: int
    """In a row, over all notifications."""
    failed_attempts: int
    """Ever."""
    retry_at: datetime | None
    """Nothing is sent before."""
    last_error: str | None
    first_sent_at: datetime | None
    """None if nothing was ever sent."""
    registered: bool | None
    """Whether the number has WhatsApp, as was found at `checked_at`; None if nobody has asked."""
    checked_at: datetime | None
    suppressed_at: datetime | None
    """Since when nothing is sent to them; None if it may be."""
    suppressed_because: str | None


class Place(NamedTuple):
    """A place in the list: the last one of the page before."""

    id: UUID
    account: str


def listing(
    connection: Connection,
    limit: int,
    *,
    account: str | None = None,
    jid: str | None = None,
    failing: bool = False,
    after: Place | None = None,
) -> list[Recipient]:
    """Return recipients to whom something was sent or tried, in the order of their ids.

    Args:
        connection: Where to.
        limit: How many at most.
        account: Only its.
        jid: Only this one.
        failing: Only those who wait for a retry.
        after: Behind which place.
    """
    values = {
        "account": account,
        "jid": jid,
        "failing": failing,
        "after_id": after and after.id,
        "after_account": after and after.account,
        "limit": limit,
    }
    with connection.cursor(row_factory=class_row(Recipient)) as cursor:
        return cursor.execute(query("recipients"), values, prepare=False).fetchall()
