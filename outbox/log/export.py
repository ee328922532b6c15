"""Everything that is held of a person, as one JSON document: the answer to a request for access.

It is read through one snapshot and handed out in pieces, so that it may be larger than the memory.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from outbox.errors import refusal
from outbox.log.database import query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from outbox.log.database import Connection

_CHUNK_BYTES = 192 * 1024
"""Of media at a time; a multiple of three, so that the pieces of base64 fit together."""


def export(connection: Connection, recipient: str) -> Iterator[str]:
    """Yield the document in pieces.

    Its members: `exported_at`, `recipients` (id, JID, whether it has WhatsApp), `counters` and
    `suppressions` by account, `events` of the recipient's own streams, `idempotency_keys`,
    `whatsapp` (what whatsmeow keeps, without keys), `notifications` with body and events, and
    `media` with their bytes in base64.

    Args:
        connection: Where to, in no transaction; it is in one until the last piece is taken.
        recipient: A number in international form, a JID or a recipient's id.

    Raises:
        InvalidRecipient: It is none of these.
        UnknownRecipient: Nothing is held.
    """
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        jids, recipients = _person(connection, recipient)
        head = connection.execute(
            query("export_person"), {"jids": jids, "recipients": recipients}
        ).fetchone()
        if head is None or not (head[0]["recipients"] or head[0]["whatsapp"]):
            raise refusal("unknown_recipient", recipient)
        yield json.dumps(head[0], ensure_ascii=False, indent=2).removesuffix("\n}")
        yield ',\n  "notifications": ['
        digests: set[str] = set()
        yield from _listed(_notifications(connection, recipients, digests))
        yield '],\n  "media": ['
        for nth, digest in enumerate(sorted(digests)):
            yield from _media(connection, digest, ",\n    " if nth else "\n    ")
        yield "]\n}\n"


def _person(connection: Connection, recipient: str) -> tuple[list[str], list[UUID]]:
    row = connection.execute(
        "select jids, recipients from outbox.person(%s)", (recipient,)
    ).fetchone()
    if row is None:
        raise RuntimeError("outbox.person returned no row")
    return row[0], row[1]


def _notifications(
    connection: Connection, recipients: list[UUID], digests: set[str]
) -> Iterator[dict[str, Any]]:
    """Yield each notification with its body and its events; note the digests of its media."""
    with connection.cursor() as cursor:
        found = cursor.stream(query("export_notifications"), {"recipients": recipients})
        for (one,) in found:
            digests.update(one.pop("media") or ())
            yield one


def _listed(items: Iterable[object]) -> Iterator[str]:
    for nth, item in enumerate(items):
        yield ("," if nth else "") + "\n    " + json.dumps(item, ensure_ascii=False)


def _media(connection: Connection, digest: str, before: str) -> Iterator[str]:
    """Yield one of the media, unless it has been erased."""
    row = connection.execute(
        "select jsonb_build_object('digest', %(digest)s::text, 'mime', mime, 'size', size), size"
        " from outbox.media where digest = decode(%(digest)s, 'hex')",
        {"digest": digest},
    ).fetchone()
    if row is None:
        return
    yield before + json.dumps(row[0]).removesuffix("}") + ', "data": "'
    for start in range(1, row[1] + 1, _CHUNK_BYTES):
        piece = connection.execute(
            "select substring(data from %s for %s) from outbox.media"
            " where digest = decode(%s, 'hex')",
            (start, _CHUNK_BYTES, digest),
            binary=True,
        ).fetchone()
        if piece is not None:
            yield base64.b64encode(piece[0]).decode()
    yield '"}'
