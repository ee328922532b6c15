"""Media bytes by digest."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from outbox.log.database import Connection


class StoredMedia(NamedTuple):
    """What a digest stands for."""

    mime: str
    data: bytes


def fetch_media(connection: Connection, digest: str) -> StoredMedia:
    """Return the media with this digest (64 hexadecimal digits).

    Raises:
        KeyError: There is none, or it has been erased.
    """
    row = connection.execute(
        "select mime, data from outbox.media where digest = decode(%s, 'hex')", (digest,)
    ).fetchone()
    if row is None:
        raise KeyError(digest)
    return StoredMedia(*row)
