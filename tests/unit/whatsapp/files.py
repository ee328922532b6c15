"""Files of all sorts, made when they are asked for."""

import wave
from io import BytesIO
from typing import Any

from PIL import Image

BROKEN = b"\x89PNG\r\n\x1a\n and no more"
OPUS = b"OggS\0\2" + bytes(20) + b"\1\x13" + b"OpusHead\1\1" + bytes(9)
"""The first page of a voice message: as much of one as is looked at."""
VORBIS = b"OggS\0\2" + bytes(20) + b"\1\x1e" + b"\1vorbis" + bytes(23)


def picture(
    name: str = "PNG",
    size: tuple[int, int] = (300, 200),
    mode: str = "RGB",
    color: Any = "red",  # noqa: ANN401 - as Pillow's
    **how: Any,  # noqa: ANN401
) -> bytes:
    """Return a picture of one colour, in one of Pillow's formats."""
    file = BytesIO()
    Image.new(mode, size, color).save(file, name, **how)
    return file.getvalue()


def animation(name: str, frames: int, duration: int, size: tuple[int, int] = (300, 200)) -> bytes:
    """Return an animation whose frames all differ, of so many milliseconds each."""
    first, *rest = [
        Image.new("RGBA", size, (number * 255 // frames, 0, 0, 255)) for number in range(frames)
    ]
    file = BytesIO()
    first.save(file, name, save_all=True, append_images=rest, duration=duration, loop=0)
    return file.getvalue()


def sound(seconds: float) -> bytes:
    """Return silence as a WAV."""
    file = BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(8000)
        written.writeframes(bytes(int(16000 * seconds)))
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    """Return the picture of these bytes, all of it read."""
    image = Image.open(BytesIO(data))
    image.load()
    return image
