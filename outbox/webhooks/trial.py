"""Trying a webhook out: one event that tells of nothing but that it arrives.

Nothing is noted of it: neither its cursor nor its failures change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from outbox.log import webhooks
from outbox.webhooks import envelope
from outbox.webhooks.request import post

if TYPE_CHECKING:
    from outbox.log.database import Connection
    from outbox.log.webhooks import Webhook
    from outbox.webhooks.envelope import Envelope


class Tried(NamedTuple):
    """What came of it."""

    name: str
    id: str
    """What the request had as its webhook-id."""
    status: int | None
    """What the receiver answered; None if nothing."""
    error: str | None
    """Why the event has not been delivered; None if it has."""


class Trial(NamedTuple):
    """A test event that is ready to be sent, for which no database is needed."""

    webhook: Webhook
    envelope: Envelope

    def send(self, *, inside: bool) -> Tried:
        """Send it, disabled or not, and wait for the answer: 15 seconds at most.

        Args:
            inside: Addresses inside are allowed, and so is http.
        """
        answer = post(
            self.webhook.url,
            self.envelope.body.encode(),
            envelope.headers(self.envelope, self.webhook.secret),
            inside=inside,
        )
        return Tried(self.webhook.name, self.envelope.id, answer.status, answer.error)


def prepare(connection: Connection, name: str) -> Trial:
    """Return the test event of a webhook.

    Raises:
        UnknownWebhook: There is none of this name.
    """
    found = webhooks.named(connection, name)
    return Trial(found, envelope.of_test(webhooks.origin(connection), name))
