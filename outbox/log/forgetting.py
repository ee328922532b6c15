"""Forgetting a person: `outbox.forget` of the database, repeated until it is done.

Invariants: every call is a transaction of its own, as a whole or not at all. While a message to the
person is being sent nothing is erased, since its outcome would be told of somebody unknown.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from psycopg.types.json import Jsonb

from outbox.errors import WrongState, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from outbox.log.database import Connection

_LOOK_SECONDS = 1.0
"""Between two tries."""


class Forgotten(NamedTuple):
    """What has been erased of a person."""

    erased: bool
    """False while something is being sent; then nothing else but `cancelled` is final."""
    cancelled: int
    """Notifications that were pending or of unknown outcome."""
    sending: int
    """Notifications that are being sent."""
    contents: int
    media: int
    keys: int
    """The callers' idempotency keys."""
    whatsapp: int
    """Rows of whatsmeow's tables."""
    named_elsewhere: int
    """Bodies for others in which the number is still written."""


def forget(
    connection: Connection,
    recipient: str,
    reason: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Forgotten:
    """Erase a person once, or say why not yet.

    Args:
        connection: Where to.
        recipient: A number in international form, a JID or a recipient's id.
        reason: For whoever reads the log, which keeps it for ever: nothing personal.
        metadata: Kept with the events.

    Raises:
        InvalidRecipient: It is none of these.
        UnknownRecipient: Nothing is held.
        WrongState: A transaction that has read bodies or notifications stays open.
    """
    row = connection.execute(
        "select * from outbox.forget(%s, %s, %s)", (recipient, reason, Jsonb(metadata or {}))
    ).fetchone()
    if row is None:
        raise RuntimeError("outbox.forget returned no row")
    return Forgotten(*row)


def forget_within(
    connection: Connection,
    recipient: str,
    seconds: float,
    reason: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Forgotten:
    """Erase a person, waiting for what is being sent and for other transactions.

    Args:
        connection: Where to, in no transaction.
        recipient: As `forget` takes it.
        seconds: How long to wait at most.
        reason: For whoever reads the log.
        metadata: Kept with the events.

    Raises:
        WrongState: That has not ended within the time.
        Refused: As `forget` refuses.
    """
    end = time.monotonic() + seconds
    done = Forgotten(False, 0, 0, 0, 0, 0, 0, 0)  # noqa: FBT003 - a row, as the database has it
    while True:
        try:
            found = forget(connection, recipient, reason, metadata)
        except WrongState:
            if time.monotonic() >= end:
                raise
        else:
            done = found._replace(
                cancelled=done.cancelled + found.cancelled,
                keys=done.keys + found.keys,
                whatsapp=done.whatsapp + found.whatsapp,
            )
            if done.erased:
                return done
            if time.monotonic() >= end:
                raise being_sent(done)
        time.sleep(_LOOK_SECONDS)


def being_sent(found: Forgotten) -> WrongState:
    """Return the refusal that something is still being sent, to be raised."""
    more = f"What was pending is cancelled: {found.cancelled}."
    refused = refusal("cannot_forget", f"{found.sending} of the recipient's are being sent", more)
    if not isinstance(refused, WrongState):
        raise TypeError("the rule cannot_forget is not one of WrongState")
    return refused
