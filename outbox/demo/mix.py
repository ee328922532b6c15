"""What the demo's shop tells its customers."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from outbox.content import Contact, Location, Poll

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "shop"
CUSTOMERS = 60
BATCH = 360
"""Notifications of the one batch."""

_PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_INVOICE = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@dataclass(frozen=True, slots=True)
class Told:
    """One notification: what is shown of it, and what `outbox.enqueue` is given."""

    name: str
    order: int
    given: dict[str, Any] = field(hash=False)


def number(customer: int) -> str:
    """Return a customer's number, from a range that belongs to nobody.

    Ofcom keeps +44 7700 900000 to 900999 for use in drama.
    """
    return f"+44 7700 900{customer % CUSTOMERS:03}"


def batch() -> list[dict[str, Any]]:
    """Return the texts of the evening's shipment, for one call of `outbox.enqueue_many`."""
    return [
        {"to": number(order), "text": f"Your order {order} has left our house."}
        for order in range(BATCH)
    ]


def singles(rounds: int, first: int = BATCH) -> Iterator[Told]:
    """Yield what is told one by one, each in the transaction of its order."""
    order = first
    for _ in range(rounds):
        for told in _round(order):
            yield told
            order += 1


def _round(order: int) -> Iterator[Told]:
    yield Told(
        "One-time code",
        order,
        {
            "text": f"{order * 7919 % 1000000:06} is your code. It is good for one minute.",
            "priority": 10,
            "expires_in": timedelta(minutes=1),
        },
    )
    yield Told(
        "Payment taken, at most once",
        order + 1,
        {"text": f"We have charged your card for order {order + 1}.", "on_unknown": "hold"},
    )
    yield Told(
        "Invoice, a document",
        order + 2,
        {
            "content": {"kind": "document", "filename": f"invoice-{order + 2}.pdf"},
            "media": _INVOICE,
            "mime": "application/pdf",
        },
    )
    yield Told(
        "Photograph with a caption",
        order + 3,
        {"text": f"Order {order + 3} is at your door.", "media": _PICTURE, "mime": "image/png"},
    )
    yield Told(
        "Appointment reminder",
        order + 4,
        {"text": "Tomorrow at 10:30 our fitter comes to you. Reply NO to cancel."},
    )
    yield Told(
        "Pick-up point, a location",
        order + 5,
        {
            "content": Location(
                latitude=51.5237, longitude=-0.1585, name="Parcel shop", address="Baker Street"
            )
        },
    )
    yield Told(
        "Your courier, a contact",
        order + 6,
        {"content": Contact(name="Ada, your courier", number="+44 7700 900999")},
    )
    yield Told(
        "How did we do? A poll",
        order + 7,
        {"content": Poll(question="How did we do?", options=("Well", "So so", "Badly"))},
    )
