"""What went through in the latest steps of time: for charts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from outbox.log.database import query

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from outbox.log.database import Connection


@dataclass(frozen=True, slots=True)
class Step:
    """What happened within one step of time."""

    at: datetime
    """When it began."""
    enqueued: int
    sent: int
    failed: int
    """Attempts that failed and will be made again."""
    dead: int
    """Notifications that ended without success, but for those that somebody withdrew."""
    half_within: float | None
    """Seconds within which half of what was sent had been acknowledged; None if nothing was."""
    most_within: float | None
    """The same of 95 percent."""
    open: int
    """Notifications that had not ended at its end."""


def traffic(
    connection: Connection, step: timedelta, steps: int, account: str | None = None
) -> list[Step]:
    """Return the latest steps of time, the current one last.

    Args:
        connection: Where to.
        step: How long each is.
        steps: How many.
        account: Only its; otherwise all accounts'.
    """
    values = {"step": step, "steps": steps, "account": account}
    with connection.cursor(row_factory=class_row(Step)) as cursor:
        return cursor.execute(query("traffic"), values, prepare=False).fetchall()
