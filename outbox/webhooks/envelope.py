"""What a webhook's request says: a CloudEvent in structured mode, signed by Standard Webhooks.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from standardwebhooks.webhooks import Webhook as Signer

if TYPE_CHECKING:
    from outbox.log.follow import Event
    from outbox.log.webhooks import Origin

CONTENT_TYPE = "application/cloudevents+json"


class Envelope(NamedTuple):
    """The body of a request, and its name, under which a repeated one is known."""

    id: str
    body: str


def of_event(event: Event, origin: Origin, epoch: int) -> Envelope:
    """Return an event of the log as it is sent.

    Args:
        event: The event; like the log it has no phone number.
        origin: Where it comes from.
        epoch: The restore epoch in which it was appended.
    """
    kind = "notification"
    if event.type in origin.connection_types:
        kind = "connection"
    elif event.type in origin.recipient_types:
        kind = "recipient"
    subjects = {"connection": event.account, "recipient": str(event.data.get("recipient"))}
    data = {
        "account": event.account,
        "notification": str(event.stream) if kind == "notification" else None,
        "position": event.position,
        "version": event.version,
        "event": event.data,
        "metadata": event.metadata,
    }
    return _made(
        id_=f"{epoch}-{event.position}",
        origin=origin,
        type_=f"{kind}.{event.type}",
        subject=subjects.get(kind, str(event.stream)),
        time=event.recorded_at,
        data=data,
    )


def of_test(origin: Origin, name: str) -> Envelope:
    """Return an event that tells of nothing but that it arrives."""
    return _made(
        id_=f"test-{uuid4()}",
        origin=origin,
        type_="webhook.test",
        subject=name,
        time=datetime.now(UTC),
        data={"webhook": name},
    )


def headers(envelope: Envelope, secret: str) -> dict[str, str]:
    """Return the headers of a request that is sent now, the signature among them."""
    now = datetime.now(UTC)
    return {
        "Content-Type": CONTENT_TYPE,
        "User-Agent": "whatsapp-outbox",
        "webhook-id": envelope.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Signer(secret).sign(envelope.id, now, envelope.body),
    }


def _made(
    *, id_: str, origin: Origin, type_: str, subject: str, time: datetime, data: dict[str, Any]
) -> Envelope:
    body = {
        "specversion": "1.0",
        "id": id_,
        "source": f"urn:outbox:{origin.database}",
        "type": f"outbox.{type_}",
        "subject": subject,
        "time": time.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }
    return Envelope(id_, json.dumps(body))
