"""A notification outbox for WhatsApp, event-sourced on PostgreSQL.

The public names. Each is imported when it is first asked for, since a worker needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outbox.caller.enqueue import enqueue, enqueue_many, store_media
    from outbox.caller.notification import Notification
    from outbox.caller.waiting import (
        Sending,
        TransactionOpenError,
        send,
        send_async,
        wait_for,
        wait_for_async,
    )
    from outbox.content import (
        Album,
        AlbumItem,
        Audio,
        Contact,
        Content,
        Document,
        Edit,
        Image,
        Location,
        Poll,
        Reaction,
        Ref,
        Revoke,
        Sticker,
        Text,
        Video,
        Voice,
        digest,
    )
    from outbox.errors import (
        ExpiryInPast,
        IdempotencyConflict,
        InvalidContent,
        InvalidOption,
        InvalidRecipient,
        MediaTooLarge,
        OutboxError,
        Refused,
        TextTooLong,
        UnknownNotification,
        UnusableMedia,
    )

__all__ = [
    "Album",
    "AlbumItem",
    "Audio",
    "Contact",
    "Content",
    "Document",
    "Edit",
    "ExpiryInPast",
    "IdempotencyConflict",
    "Image",
    "InvalidContent",
    "InvalidOption",
    "InvalidRecipient",
    "Location",
    "MediaTooLarge",
    "Notification",
    "OutboxError",
    "Poll",
    "Reaction",
    "Ref",
    "Refused",
    "Revoke",
    "Sending",
    "Sticker",
    "Text",
    "TextTooLong",
    "TransactionOpenError",
    "UnknownNotification",
    "UnusableMedia",
    "Video",
    "Voice",
    "digest",
    "enqueue",
    "enqueue_many",
    "send",
    "send_async",
    "store_media",
    "wait_for",
    "wait_for_async",
]

_HOMES = (
    "outbox.errors",
    "outbox.content",
    "outbox.caller.notification",
    "outbox.caller.enqueue",
    "outbox.caller.waiting",
)
"""Where the names are, each module imported by the ones after it."""


def __getattr__(name: str) -> object:
    if name in __all__:
        for home in map(import_module, _HOMES):
            if hasattr(home, name):
                globals()[name] = found = getattr(home, name)
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
