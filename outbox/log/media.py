"""Media by digest: described at once, their bytes in chunks.

They are stored without compression (`alembic/sql/…/tables/media.sql`), so PostgreSQL reads no more
of them for a chunk than the chunk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outbox.log.database import Connection

_CHUNK_BYTES = 256 * 1024


class StoredMedia(NamedTuple):
    """What a digest stands for."""

    mime: str
    size: int
    """In bytes."""


def describe_media(connection: Connection, digest: str) -> StoredMedia:
    """Return what the media with this digest (64 hexadecimal digits) are.

    Raises:
        KeyError: There are none, or they have been erased.
    """
    row = connection.execute(
        "select mime, size from outbox.media where digest = decode(%s, 'hex')", (digest,)
    ).fetchone()
    if row is None:
        raise KeyError(digest)
    return StoredMedia(*row)


def media_chunks(connection: Connection, digest: str) -> Iterator[bytes]:
    """Yield the bytes of media in their order, never all of them at once.

    Raises:
        KeyError: They have been erased.
    """
    start = 1
    while True:
        row = connection.execute(
            "select substring(data from %s for %s) from outbox.media"
            " where digest = decode(%s, 'hex')",
            (start, _CHUNK_BYTES, digest),
            binary=True,
        ).fetchone()
        if row is None:
            raise KeyError(digest)
        if not row[0]:
            return
        yield row[0]
        start += len(row[0])
