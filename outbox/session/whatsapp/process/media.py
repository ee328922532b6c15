"""Messages that carry media: uploaded first, then described.

neonize's own `send_image` and its kin are not used: they take what they need from ffmpeg without
asking whether it is there, and name the whole file as the thumbnail's.
"""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    AudioMessage,
    DocumentMessage,
    FutureProofMessage,
    ImageMessage,
    Message,
    StickerMessage,
    VideoMessage,
)
from neonize.utils.enum import MediaType
from tinytag import TinyTag, TinyTagException

from outbox.session.whatsapp.process import ffmpeg, pictures
from outbox.session.whatsapp.process.sticker import EDGE, fitted
from outbox.session.whatsapp.process.unsendable import Unsendable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from neonize.client import NewClient
    from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import ContextInfo

_VOICE = "audio/ogg; codecs=opus"
_VOICE_LIMIT = 16 << 20
"""Bytes: what a voice message may have in the outbox, converted as before."""
_LONGEST = 1 << 31
"""Seconds beyond which a duration is nonsense."""


@dataclass(frozen=True, slots=True)
class MediaBytes:
    """The bytes of a media, of which there should be one copy: they may be 64 MiB."""

    mime: str
    data: bytes | bytearray


Maker: TypeAlias = (
    "Callable[[NewClient, Mapping[str, Any], MediaBytes, ContextInfo | None], Message]"
)
"""Uploads and describes. Raises Unsendable, and neonize's own error if the upload fails."""


def image(
    client: NewClient, content: Mapping[str, Any], media: MediaBytes, info: ContextInfo | None
) -> Message:
    """Return a picture, with its size and a thumbnail."""
    found = pictures.picture(media.data)
    return Message(
        imageMessage=ImageMessage(
            **_uploaded(client, found.data, MediaType.MediaImage),
            mimetype=found.mime,
            caption=content.get("caption"),
            width=found.width,
            height=found.height,
            JPEGThumbnail=found.thumbnail,
            contextInfo=info,
        )
    )


def video(
    client: NewClient, content: Mapping[str, Any], media: MediaBytes, info: ContextInfo | None
) -> Message:
    """Return a film as it is, with its size and a thumbnail where ffmpeg is installed."""
    frame = _first_frame(media.data)
    return Message(
        videoMessage=VideoMessage(
            **_uploaded(client, media.data, MediaType.MediaVideo),
            mimetype=media.mime,
            caption=content.get("caption"),
            seconds=_seconds(media.data),
            width=frame and frame.width,
            height=frame and frame.height,
            JPEGThumbnail=frame and frame.thumbnail,
            contextInfo=info,
        )
    )


def audio(
    client: NewClient, _: Mapping[str, Any], media: MediaBytes, info: ContextInfo | None
) -> Message:
    """Return a sound file as it is."""
    return Message(
        audioMessage=AudioMessage(
            **_uploaded(client, media.data, MediaType.MediaAudio),
            mimetype=media.mime,
            seconds=_seconds(media.data),
            contextInfo=info,
        )
    )


def voice(
    client: NewClient, _: Mapping[str, Any], media: MediaBytes, info: ContextInfo | None
) -> Message:
    """Return a voice message: Opus in Ogg as it is, all else converted by ffmpeg.

    Raises:
        TimeoutError: The conversion takes too long; another attempt may be luckier.
    """
    data = media.data if _is_opus(media.data) else _converted(media)
    return Message(
        audioMessage=AudioMessage(
            **_uploaded(client, data, MediaType.MediaAudio),
            mimetype=_VOICE,
            seconds=_seconds(data),
            PTT=True,
            contextInfo=info,
        )
    )


def document(
    client: NewClient, content: Mapping[str, Any], media: MediaBytes, info: ContextInfo | None
) -> Message:
    """Return a file under its name. One with a caption is wrapped, or the apps show no caption."""
    message = Message(
        documentMessage=DocumentMessage(
            **_uploaded(client, media.data, MediaType.MediaDocument),
            mimetype=media.mime,
            fileName=content["filename"],
            title=content["filename"],
            caption=content.get("caption"),
            contextInfo=info,
        )
    )
    if not content.get("caption"):
        return message
    return Message(documentWithCaptionMessage=FutureProofMessage(message=message))


def sticker(
    client: NewClient, _: Mapping[str, Any], media: MediaBytes, info: ContextInfo | None
) -> Message:
    """Return a sticker, made of the picture unless it is one already."""
    made = fitted(media.data)
    return Message(
        stickerMessage=StickerMessage(
            **_uploaded(client, made.data, MediaType.MediaImage),
            mimetype="image/webp",
            width=EDGE,
            height=EDGE,
            isAnimated=made.is_animated,
            contextInfo=info,
        )
    )


MAKERS: Final[Mapping[str, Maker]] = {
    "image": image,
    "video": video,
    "audio": audio,
    "voice": voice,
    "document": document,
    "sticker": sticker,
}
"""Who makes the message of each kind."""


def _uploaded(client: NewClient, data: bytes | bytearray, kind: MediaType) -> dict[str, Any]:
    """Upload and return what every message with media says of its file.

    ctypes takes a bytearray only as an array, which shares its memory.
    """
    given = data if isinstance(data, bytes) else (ctypes.c_char * len(data)).from_buffer(data)
    response = client.upload(given, kind)
    return {
        "URL": response.url,
        "directPath": response.DirectPath,
        "mediaKey": response.MediaKey,
        "mediaKeyTimestamp": int(time.time()),
        "fileEncSHA256": response.FileEncSHA256,
        "fileSHA256": response.FileSHA256,
        "fileLength": response.FileLength,
    }


def _seconds(data: bytes | bytearray) -> int | None:
    """Return how long it lasts, at least a second, or None if that cannot be read."""
    try:
        found = TinyTag.get(file_obj=BytesIO(data), tags=False).duration
    except TinyTagException:
        return None
    return max(1, round(found)) if found and 0 < found < _LONGEST else None


def _first_frame(film: bytes | bytearray) -> pictures.Picture | None:
    frame = ffmpeg.first_frame(film)
    if frame is None:
        return None
    try:
        return pictures.picture(frame)
    except Unsendable:
        return None


def _is_opus(data: bytes | bytearray) -> bool:
    """Return whether it is Ogg whose first page begins with Opus' header (RFC 7845)."""
    return data[:4] == b"OggS" and data[28:36] == b"OpusHead"


def _converted(media: MediaBytes) -> bytes:
    message = f"a voice message of type {media.mime}"
    try:
        data = ffmpeg.voice(media.data, _VOICE_LIMIT + 1)
    except ffmpeg.Missing as error:
        raise Unsendable(f"{message} has to be converted, and ffmpeg is not installed") from error
    except ffmpeg.Failed as error:
        raise Unsendable(f"{message} cannot be converted: ffmpeg finds no sound in it") from error
    if len(data) > _VOICE_LIMIT:
        raise Unsendable(f"{message} lasts too long: its conversion has more than 16 MiB")
    return data
