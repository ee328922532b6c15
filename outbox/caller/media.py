"""Media given as bytes or as a file: which kind of content they make, within which limits."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Final, NamedTuple

from outbox.caller.executable import Expression, call, value
from outbox.content import digest
from outbox.errors import refusal

LIMITS: Final[dict[str, int]] = {
    "image": 16 << 20,
    "video": 16 << 20,
    "audio": 16 << 20,
    "voice": 16 << 20,
    "sticker": 1 << 20,
    "document": 64 << 20,
    "album": 64 << 20,
}
"""The most bytes of each kind, all of an album's together, as the SQL function `media_limit` has
them."""

SHOWN: Final[dict[str, str]] = {
    "image/jpeg": "image",
    "image/png": "image",
    "video/mp4": "video",
    "video/3gpp": "video",
    "audio/aac": "audio",
    "audio/amr": "audio",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
    "audio/ogg": "audio",
}
"""What the apps show in the chat (Meta, WhatsApp Business Platform, "Supported media types"); all
else arrives as a document."""

_FITS: Final[dict[str, str | tuple[str, ...]]] = {
    "image": "image/",
    "video": "video/",
    "audio": "audio/",
    "voice": "audio/",
    "sticker": "image/",
    "document": "",
    "album": ("image/", "video/"),
}
"""How the MIME type begins that a kind needs, as the SQL function `media_fits` has it."""

_MIME = re.compile(r"[a-z]+/[a-z0-9.+-]+")

Source = bytes | PathLike[str]
"""Bytes, or the path of a file; a path given as a text would look like content."""
Sources = Source | Sequence[Source]
"""One, or those of an album."""
Mime = str | Sequence[str | None] | None
"""The type of all media, or of each in their order; None where a file's name says it."""


class Media(NamedTuple):
    """Bytes to be stored, with what is known of them."""

    data: bytes
    mime: str
    name: str | None
    """The file's name; none for bytes."""

    @property
    def digest(self) -> str:
        """The name by which a content refers to them."""
        return digest(self.data)

    @property
    def kind(self) -> str:
        """The kind of content that they make unless the caller says otherwise."""
        return SHOWN.get(self.mime, "document")

    def expression(self) -> Expression:
        """Return the call that stores the bytes and gives their digest."""
        return call("store_media", data=value(self.data, "bytea"), mime=value(self.mime, "text"))

    def judge(self, kind: str) -> None:
        """Refuse what the kind cannot have.

        Raises:
            MediaTooLarge: There are more bytes than the kind may have.
            UnusableMedia: The MIME type is another kind's.
        """
        if len(self.data) > LIMITS[kind]:
            raise refusal("media_too_large", f"{len(self.data)} bytes for {kind}")
        if not self.mime.startswith(_FITS[kind]):
            raise refusal("media_mismatch", f"{self.mime} for {kind}")


def judge_album(stored: Sequence[Media]) -> None:
    """Refuse what an album cannot have.

    Raises:
        MediaTooLarge: There are more bytes than an image or a video, or all together, may have.
        UnusableMedia: The MIME type of one is neither an image's nor a video's.
    """
    for number, media in enumerate(stored, 1):
        if not media.mime.startswith(_FITS["album"]):
            raise refusal("media_mismatch", f"{media.mime} for item {number} of an album")
        size, kind = len(media.data), media.mime.partition("/")[0]
        if size > LIMITS[kind]:
            shown = f"{size} bytes for {kind}, item {number} of an album"
            raise refusal("media_too_large", shown)
    total = sum(len(media.data) for media in stored)
    if total > LIMITS["album"]:
        raise refusal("media_too_large", f"{total} bytes for all of an album")


def read_all(sources: Sequence[Source], mime: Mime) -> list[Media]:
    """Return the media of several sources; raises like `read`.

    Args:
        sources: Each bytes, or a path.
        mime: One type for all, or one for each, None where the file's name says it.
    """
    if mime is None or isinstance(mime, str):
        types: Sequence[str | None] = [mime] * len(sources)
    elif len(mime) == len(sources):
        types = mime
    else:
        shown = f"{len(mime)} types for {len(sources)} media"
        raise refusal("bad_mime", shown, "Give one for all, or one for each.")
    return [read(source, type_) for source, type_ in zip(sources, types, strict=True)]


def read(source: Source, mime: str | None) -> Media:
    """Return the media of bytes or of a file.

    Args:
        source: Bytes, or a path, whose file is read.
        mime: Such as image/jpeg; needed for bytes, and guessed from the name of a file.

    Raises:
        MediaTooLarge: There are more bytes than any kind may have; a file is not even read.
        OSError: The file cannot be read.
        UnusableMedia: There are no bytes, or no MIME type.
    """
    path = None if isinstance(source, bytes) else Path(fspath(source))
    if mime is None and path is not None:
        mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if mime is None:
        raise refusal("bad_mime", None, "The type of bytes cannot be guessed.")
    if not _MIME.fullmatch(mime):
        raise refusal("bad_mime", mime)
    size = len(source) if isinstance(source, bytes) else Path(fspath(source)).stat().st_size
    if not size:
        raise refusal("empty_media", mime)
    if size > LIMITS["document"]:
        raise refusal("media_too_large", f"{size} bytes of {mime}")
    data = source if isinstance(source, bytes) else Path(fspath(source)).read_bytes()
    return Media(data, mime, None if path is None else path.name)
