"""The sender: serves webhooks from within a worker, and holds up nothing there.

It has turns on the connection of the worker's jobs, in which it takes what the log has for each
webhook and notes what came of it; the requests themselves are made on a thread for each webhook,
which touches no database. Invariants:

1. A webhook has one request at a time, in the order in which a follower reads the log, which keeps
   each stream's own. Behind an event that fails nothing goes.
2. Its cursor moves behind events only when they have been answered with success. A sender that dies
   before lets at most a batch come again.
3. No request begins unless the webhook's lease lasts until it must have ended, so that a sender
   which is late never sends beside the one that has taken over.
4. No transaction is open during a request.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import structlog

from outbox.log import follow, webhook_lease, webhooks
from outbox.log.follow import CursorMoved, Follower
from outbox.webhooks import envelope
from outbox.webhooks.request import PATIENCE_SECONDS, post

if TYPE_CHECKING:
    from outbox.log.database import Connection
    from outbox.log.follow import Batch
    from outbox.log.webhooks import Origin, Webhook
    from outbox.webhooks.envelope import Envelope
    from outbox.webhooks.request import Answer

_BATCH = 100
"""Events that are taken at once, and that come again at most after a kill."""


class _Parcel(NamedTuple):
    number: int
    """Which of the batch it is."""
    envelope: Envelope


@dataclass
class _Errand:
    """The requests for one batch, made on a thread of their own."""

    webhook: Webhook
    batch: Batch
    parcels: list[_Parcel]
    until: float
    """When the lease ends, by the monotonic clock; put off by renewals."""
    inside: bool
    patience: float
    delivered: int = 0
    failure: Answer | None = None
    told_to_stop: bool = False
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Send, one after another, until one fails."""
        try:
            for parcel in self.parcels:
                if self.told_to_stop or time.monotonic() + self.patience >= self.until:
                    return
                answer = post(
                    self.webhook.url,
                    parcel.envelope.body.encode(),
                    envelope.headers(parcel.envelope, self.webhook.secret),
                    inside=self.inside,
                    patience=self.patience,
                )
                if answer.error is not None:
                    self.failure = answer
                    return
                self.delivered += 1
        finally:
            self.over.set()

    @property
    def done(self) -> Batch:
        """What has been dealt with: all before the first event that has not been delivered."""
        if self.delivered == len(self.parcels):
            return self.batch
        return self.batch.part(self.parcels[self.delivered].number)


class Sender:
    """Sends what webhooks wait for; used by one thread at a time.

    Args:
        inside: Addresses inside are allowed, and so is http.
        grace: How many seconds a request in hand is waited for at the end.
        patience: How many seconds a request may take.
    """

    def __init__(
        self, *, inside: bool, grace: float = 0, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._inside = inside
        self._grace = grace
        self._patience = patience
        self._lease = timedelta(seconds=3 * patience)
        self._id = uuid4()
        self._log = structlog.get_logger()
        self._connection: Connection | None = None
        self._origin: Origin | None = None
        self._followers: dict[str, Follower] = {}
        self._held: dict[str, float] = {}
        self._errands: dict[str, _Errand] = {}

    def turn(self, connection: Connection) -> None:
        """Note what has been sent meanwhile, and begin to send what is there.

        Raises:
            psycopg.OperationalError: The database was lost; the next turn goes on.
        """
        if connection is not self._connection:
            self._connection = connection
            self._followers.clear()
            self._origin = None
        found = {webhook.name: webhook for webhook in webhooks.listed(connection)}
        for name in self._errands.keys() | self._held.keys():
            if name not in found or found[name].disabled_at is not None:
                self._let_go(connection, name)
        for webhook in found.values():
            self._serve(connection, webhook)

    def close(self, connection: Connection) -> None:
        """Wait for the requests in hand, note them, and give the webhooks back.

        One that is not answered in time keeps its lease, which another sender waits for.
        """
        end = time.monotonic() + self._grace
        for errand in self._errands.values():
            errand.told_to_stop = True
        for name, errand in list(self._errands.items()):
            if errand.over.wait(max(end - time.monotonic(), 0)):
                self._conclude(connection, name)
        for name in list(self._held):
            self._let_go(connection, name)

    def _serve(self, connection: Connection, webhook: Webhook) -> None:
        name = webhook.name
        errand = self._errands.get(name)
        if errand is not None:
            if not errand.over.is_set():
                self._hold(connection, name)
                return
            if not self._conclude(connection, name):
                return
        if not webhook.due or not (webhook.free or webhook.owner == self._id):
            return
        if not self._hold(connection, name):
            return
        follower = self._follower(connection, name)
        batch = follower.take(_BATCH)
        parcels = self._parcels(connection, webhook, follower, batch)
        if parcels:
            self._send(
                _Errand(webhook, batch, parcels, self._held[name], self._inside, self._patience)
            )
        else:
            self._move(connection, name, batch)

    def _send(self, errand: _Errand) -> None:
        name = errand.webhook.name
        self._errands[name] = errand
        # One that still waits for an answer when the worker ends must not keep it.
        threading.Thread(target=errand.run, name=f"webhook {name}", daemon=True).start()

    def _conclude(self, connection: Connection, name: str) -> bool:
        """Note what came of an errand; return whether the webhook may go on at once."""
        errand = self._errands[name]
        moved = self._move(connection, name, errand.done)
        if errand.delivered and errand.webhook.failures:
            webhook_lease.succeed(connection, name, self._id)
            self._log.info("a webhook works again", webhook=name)
        if errand.failure is not None and errand.failure.error is not None:
            error = errand.failure.error
            because, retry_at = webhook_lease.fail(
                connection, name, self._id, error, forever=errand.failure.is_gone
            )
            if because is not None:
                self._log.error("a webhook was disabled", webhook=name, reason=because)
            else:
                self._log.warning("a webhook failed", webhook=name, reason=error, retry_at=retry_at)
        # Last: what was lost on the way is noted again by the next turn.
        del self._errands[name]
        return moved and errand.failure is None

    def _move(self, connection: Connection, name: str, batch: Batch) -> bool:
        """Move the cursor; return whether it was where it was left."""
        try:
            follow.move(connection, webhooks.consumer(name), batch)
        except CursorMoved as moved:
            # Replayed, deleted, or taken over: whoever did that knows better where it stands.
            self._log.info("a webhook's cursor was moved", webhook=name, reason=str(moved))
            return False
        return True

    def _hold(self, connection: Connection, name: str) -> bool:
        """Hold the lease of a webhook, renewed in time; return whether it is held."""
        now = time.monotonic()
        until = self._held.get(name, now)
        if until - now > self._lease.total_seconds() * 2 / 3:
            return True
        if not webhook_lease.hold(connection, name, self._id, self._lease):
            self._held.pop(name, None)
            return False
        until = now + self._lease.total_seconds()
        self._held[name] = until
        if name in self._errands:
            self._errands[name].until = until
        return True

    def _let_go(self, connection: Connection, name: str) -> None:
        """Give a webhook back, unless a request of it is in hand."""
        errand = self._errands.get(name)
        if errand is not None:
            errand.told_to_stop = True
            if not errand.over.is_set():
                return
            self._conclude(connection, name)
        if self._held.pop(name, None) is not None:
            webhook_lease.release(connection, name, self._id)
        self._followers.pop(name, None)

    def _follower(self, connection: Connection, name: str) -> Follower:
        if name not in self._followers:
            self._followers[name] = Follower(connection, webhooks.consumer(name))
        return self._followers[name]

    def _parcels(
        self, connection: Connection, webhook: Webhook, follower: Follower, batch: Batch
    ) -> list[_Parcel]:
        if self._origin is None:
            self._origin = webhooks.origin(connection)
        return [
            _Parcel(
                number,
                envelope.of_event(event, self._origin, follower.epoch_of(event.position)),
            )
            for number, event in enumerate(batch.events)
            if webhook.wants(event)
        ]
