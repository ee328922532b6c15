"""Attempts: started before the session is handed a message, recorded after it has answered.

Every call carries the owner's epoch and is refused with `StaleEpoch` when that is not the latest.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from outbox.log.database import query

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from outbox.log.database import Connection


class Started(NamedTuple):
    """An attempt that is durable and may be handed to the session."""

    notification: UUID
    number: int
    jid: str
    content: dict[str, Any] | None
    """None if the body has been erased."""


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


def exchange(
    connection: Connection,
    account: str,
    epoch: int,
    results: Sequence[Result],
    notifications: Sequence[UUID],
) -> tuple[list[Recorded], list[Started]]:
    """Record results and start attempts, in one commit and one round trip.

    Can be repeated when its answer was lost: what was recorded or started then is left as it is.

    Returns:
        What became of the results that were no success, and the attempts to hand over.
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
        },
    )
    recorded: list[Recorded] = []
    started: list[Started] = []
    for kind, notification, recipient, state, on_unknown, retry_at, attempt, jid, content in rows:
        if kind == "started":
            started.append(Started(notification, attempt, jid, content))
        else:
            recorded.append(Recorded(notification, recipient, state, on_unknown, retry_at))
    return recorded, started


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
            }
            for result in results
        ]
    )
