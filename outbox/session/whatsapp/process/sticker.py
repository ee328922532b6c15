"""Stickers: WebP of 512 x 512 pixels, still or moving.

The sizes in bytes are Meta's (WhatsApp Business Platform, "Sticker messages"); the ten seconds are
those of WhatsApp's own guide to stickers (github.com/WhatsApp/stickers).
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image, ImageOps

from outbox.session.whatsapp.process.pictures import PIXELS, opened, within

if TYPE_CHECKING:
    from collections.abc import Sequence

EDGE = 512
"""Pixels of each side."""
_STILL = 100 * 1024
_MOVING = 500 * 1024
"""How many bytes a sticker should have, which decides on the quality."""
_QUALITIES = (80, 50, 25, 10)
_LONGEST = 10_000
_SHORTEST = 50
"""Milliseconds of a whole animation and of one of its frames; what lies beyond is left out."""
_UNTIMED = 100
"""Milliseconds of a frame that names none, as in browsers."""


class Sticker(NamedTuple):
    """A WebP of the right size."""

    data: bytes | bytearray
    is_animated: bool


class _Frames(Image.Image):
    """Frames of another image as stickers, each made when it is asked for: all would be 200 MiB."""

    def __init__(self, source: Image.Image, numbers: Sequence[int]) -> None:
        super().__init__()
        self._mode = "RGBA"
        self._size = (EDGE, EDGE)
        self._source = source
        self._numbers = numbers
        self._at = 0
        self.n_frames = len(numbers)
        self.seek(0)

    def seek(self, frame: int) -> None:
        self._source.seek(self._numbers[frame])
        self.im = _with_corners(_squared(self._source)).im
        self._at = frame

    def tell(self) -> int:
        return self._at


def fitted(data: bytes | bytearray) -> Sticker:
    """Return the picture as a sticker: as it is if it is one, else fitted into the square.

    Raises:
        Unsendable: It cannot be read.
    """
    with opened(data) as image:
        if image.format == "WEBP" and image.size == (EDGE, EDGE):
            image.load()
            return Sticker(data, _moves(image))
        within(PIXELS, image)
        if not _moves(image):
            if image.mode not in {"1", "P"}:  # these would lose their smooth edges
                image.thumbnail((EDGE, EDGE))
            return Sticker(_webp(_squared(image), _STILL), is_animated=False)
        timeline = _timeline(image)
        frames = _Frames(image, [number for number, _ in timeline])
        durations = [duration for _, duration in timeline]
        written = _webp(frames, _MOVING, save_all=True, duration=durations, loop=0, method=2)
        return Sticker(written, is_animated=len(timeline) > 1)


def _moves(image: Image.Image) -> bool:
    return bool(getattr(image, "is_animated", False))


def _timeline(image: Image.Image) -> list[tuple[int, int]]:
    """Return which frames are shown, and for how many milliseconds each."""
    shown: list[tuple[int, int]] = []
    clock = 0
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        image.load()
        duration = int(image.info.get("duration") or _UNTIMED)
        if shown and shown[-1][1] < _SHORTEST:
            shown[-1] = (shown[-1][0], shown[-1][1] + duration)
        else:
            shown.append((number, duration))
        clock += duration
        if clock >= _LONGEST:
            break
    return shown


def _squared(image: Image.Image) -> Image.Image:
    """Return the image as large as fits into the square, the rest of which is transparent."""
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    return ImageOps.pad(upright, (EDGE, EDGE), color=(0, 0, 0, 0))


def _with_corners(image: Image.Image) -> Image.Image:
    """Make the corners all but transparent where they are wholly so.

    A border that is wholly transparent in all frames is cut off by the encoder, which then says
    that nothing is transparent; some decoders fill it with black.
    """
    for corner in ((0, 0), (EDGE - 1, EDGE - 1)):
        if image.getpixel(corner) == (0, 0, 0, 0):
            image.putpixel(corner, (0, 0, 0, 1))
    return image


def _webp(image: Image.Image, limit: int, **how: Any) -> bytes:  # noqa: ANN401 - Pillow's options
    """Return the best WebP within so many bytes, or the smallest that there is."""
    data = b""
    for quality in _QUALITIES:
        written = BytesIO()
        image.save(written, "WEBP", quality=quality, **how)
        data = written.getvalue()
        if len(data) <= limit:
            break
    return data
