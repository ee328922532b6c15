"""What a sender notes of a webhook: that it serves it, and how that goes.

By a lease of the database's clock, so at most one sender does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.log.database import query

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from uuid import UUID

    from outbox.log.database import Connection


def hold(connection: Connection, name: str, owner: UUID, duration: timedelta) -> bool:
    """Take or renew the lease of a webhook; return whether it is this sender's now."""
    values = {"name": name, "owner": owner, "duration": duration}
    return connection.execute(query("webhook_hold"), values).fetchone() is not None


def release(connection: Connection, name: str, owner: UUID) -> None:
    """Give the lease of a webhook back."""
    connection.execute(
        "update outbox.webhook set owner = null, leased_until = null"
        " where name = %s and owner = %s",
        (name, owner),
    )


def fail(
    connection: Connection, name: str, owner: UUID, error: str, *, forever: bool
) -> tuple[str | None, datetime | None]:
    """Note a failure; return why the webhook is disabled now, or when the next try is.

    Args:
        connection: Where to.
        name: The webhook.
        owner: The sender, whose lease holds.
        error: What went wrong.
        forever: Disable it at once.
    """
    values = {"name": name, "owner": owner, "error": error, "forever": forever}
    row = connection.execute(query("webhook_fail"), values).fetchone()
    return (row[0], row[1]) if row else (None, None)


def succeed(connection: Connection, name: str, owner: UUID) -> None:
    """Note that a webhook which has failed works again."""
    connection.execute(
        "update outbox.webhook set failing_since = null, failures = 0, retry_at = null,"
        " last_error = null where name = %s and owner = %s",
        (name, owner),
    )
