"""Attempts: started before the session is handed a message, recorded after it has answered.

Every call carries the owner's epoch and is refused with `StaleEpoch` when that is not the latest.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from outbox.log.database import query

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from outbox.log.database import Connection


class Started(NamedTuple):
    """An attempt that is durable and may be handed to the session."""

    notification: UUID
    number: int
    jid: str | None
    """None if the recipient has been erased."""
    content: dict[str, Any] | None
    """None if the body has been erased."""
    registered: bool | None = True
    """Whether the number has WhatsApp: None if that is to be asked first, False as of a check."""
    checked_at: datetime | None = None


class Held(NamedTuple):
    """A notification that a paced session must not send yet."""

    notification: UUID
    until: float
    """In seconds since 1970."""
    by: str
    """`pace` or `throttled` hold the whole account up, `strangers` or `restricted` the recipient.
    """

    @property
    def holds_account(self) -> bool:
        """Whether nothing of the account may go before."""
        return self.by in {"pace", "throttled"}


class Recorded(NamedTuple):
    """What has become of a notification whose attempt was not a success."""

    notification: UUID
    recipient: UUID
    state: str
    on_unknown: str
    retry_at: float | None
    """Until when nothing is sent to the recipient, in seconds since 1970."""


class Result(NamedTuple):
    """What is to be recorded of an attempt; the types are those of `outbox.record_outcomes`."""

    notification: UUID
    attempt: int
    type: str
    message_id: str | None
    error: str | None
    registered: bool | None = None
    """Whether the recipient's number has WhatsApp, if that was asked."""


class Exchanged(NamedTuple):
    """What has come of an exchange; a notification that has changed meanwhile is in none of it."""

    recorded: list[Recorded]
    started: list[Started]
    held: list[Held]


def exchange(
    connection: Connection,
    account: str,
    epoch: int,
    results: Sequence[Result],
    notifications: Sequence[UUID],
    *,
    paced: bool = False,
) -> Exchanged:
    """Record results and start attempts, in one commit and one round trip.

    Can be repeated when its answer was lost: what was recorded or started then is left as it is.

    Args:
        connection: Where to.
        account: The account.
        epoch: The owner's.
        results: To be recorded, before anything is started.
        notifications: To be started, in this order so far as the pace allows.
        paced: The session's messages are paced, and strangers' numbers checked.

    Returns:
        What became of the results that were no success, the attempts to hand over, and what may
        not start yet.

    Raises:
        StaleEpoch: The lease is held no more.
        VersionConflict: Another writer was first; nothing was done.
    """
    rows = connection.execute(
        query("exchange"),
        {
            "account": account,
            "epoch": epoch,
            "outcomes": _json(results) if results else None,
            # An array written by hand: psycopg takes ten times as long over a list of UUIDs.
            "notifications": f"{{{','.join(n.hex for n in notifications)}}}"
            if notifications
            else None,
            "paced": paced,
        },
    )
    exchanged = Exchanged([], [], [])
    for kind, notification, *row in rows:
        match kind:
            case "started":
                exchanged.started.append(Started(notification, *row[4:9]))
            case "held":
                exchanged.held.append(Held(notification, *row[9:]))
            case _:
                exchanged.recorded.append(Recorded(notification, *row[:4]))
    return exchanged


def record_receipts(
    connection: Connection, account: str, epoch: int, receipts: Sequence[tuple[str, str]]
) -> list[UUID]:
    """Record receipts (message id, type) and return the notifications that they settled as sent."""
    rows = connection.execute(
        "select notification from outbox.record_receipts(%s, %s, %s)",
        (account, epoch, json.dumps([{"message_id": i, "type": t} for i, t in receipts])),
    )
    return [notification for (notification,) in rows]


def settle_unconfirmed(connection: Connection, account: str, epoch: int) -> int:
    """Settle by policy what evidence has not, and return how many."""
    row = connection.execute(
        "select outbox.settle_unconfirmed(%s, %s)", (account, epoch)
    ).fetchone()
    return int(row[0]) if row else 0


def _json(results: Sequence[Result]) -> str:
    return json.dumps(
        [
            {
                "notification": result.notification.hex,
                "attempt": result.attempt,
                "type": result.type,
                "message_id": result.message_id,
                "error": result.error,
                **({} if result.registered is None else {"registered": result.registered}),
            }
            for result in results
        ]
    )
