"""Pictures: their size, their thumbnail, and one that every app shows.

Memory is what has to be watched: a file of a few KiB can stand for a picture of a hundred MiB.
Pillow's own limit (`Image.MAX_IMAGE_PIXELS`, 89 million) is where reading ends; what needs all
pixels in memory ends at 16 million: at most 64 MB, and as much again while it is made smaller.
"""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

# Image.open knows a format by name once its plugin is loaded, which for these it is not.
from PIL import (
    AvifImagePlugin,  # noqa: F401
    ExifTags,
    Image,
    ImageOps,
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from outbox.session.whatsapp.process.unsendable import Unsendable

if TYPE_CHECKING:
    from collections.abc import Iterator

PIXELS = 16_000_000
"""The most that are decoded at once."""
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""Those that Pillow decodes by itself: for some others it starts programs."""
_BROKEN = (EOFError, OSError, RuntimeError, SyntaxError, ValueError)
"""What decoders raise at bytes that are broken, as found by feeding them such."""
_SHOWN = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png"}
"""What the apps show in the chat (Meta, WhatsApp Business Platform, "Supported media types")."""
_THUMBNAIL = 100
"""Pixels of the longer side: it travels within the message, so it has to be a few KiB."""
_TURNED = range(5, 9)
"""The orientations of EXIF in which width and height change places."""


class Picture(NamedTuple):
    """A picture that can be sent."""

    data: bytes | bytearray
    mime: str
    width: int
    """In pixels, as it is shown."""
    height: int
    thumbnail: bytes | None
    """A small JPEG; None where making it would take too much memory."""


@contextmanager
def opened(data: bytes | bytearray) -> Iterator[Image.Image]:
    """Open a picture, whose header alone is read until its pixels are asked for.

    Raises:
        Unsendable: It has too many pixels, or Pillow fails at it, here or within the block.
    """
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as image:
            within(Image.MAX_IMAGE_PIXELS or PIXELS, image)
            yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unsendable("it has more pixels than a picture may have") from error
    except _BROKEN as error:
        raise Unsendable("it is no picture that can be read") from error


def picture(data: bytes | bytearray) -> Picture:
    """Return a picture as it is if every app shows its format, else as a JPEG.

    Raises:
        Unsendable: It cannot be read.
    """
    with opened(data) as image:
        mime = _SHOWN.get(image.format or "")
        if mime is None:
            return _shown(image)
        width, height = image.size
        if image.getexif().get(ExifTags.Base.Orientation) in _TURNED:
            width, height = height, width
        return Picture(data, mime, width, height, _thumbnail(image) if _is_cheap(image) else None)


def flat(image: Image.Image) -> Image.Image:
    """Return the picture on white paper: JPEG knows no transparency."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image.convert("RGBA"))
    return paper.convert("RGB")


def within(pixels: int, image: Image.Image) -> None:
    """Refuse to decode more pixels than these.

    Raises:
        Unsendable: There are more.
    """
    if image.width * image.height > pixels:
        raise Unsendable(f"its {image.width} x {image.height} pixels are too many to be read")


def _is_cheap(image: Image.Image) -> bool:
    """Return whether it can be made small without having all of its pixels in memory.

    A JPEG is made smaller while it is read, unless it is a progressive one.
    """
    if image.width * image.height <= PIXELS:
        return True
    return image.format in {"JPEG", "MPO"} and "progressive" not in image.info


def _thumbnail(image: Image.Image) -> bytes:
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    return _jpeg(flat(ImageOps.exif_transpose(image)), 70)


def _shown(image: Image.Image) -> Picture:
    within(PIXELS, image)
    upright = flat(ImageOps.exif_transpose(image))
    data = _jpeg(upright, 90)
    return Picture(data, "image/jpeg", *upright.size, _thumbnail(upright))


def _jpeg(image: Image.Image, quality: int) -> bytes:
    written = BytesIO()
    image.save(written, "JPEG", quality=quality, optimize=True)
    return written.getvalue()
