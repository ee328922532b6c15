"""What ffmpeg does for a message, where it is installed: a film's first frame, a voice's format.

It reads a file, not a pipe, because the index of an MP4 may be at its end. What it reads may come
from anybody, so it is held to formats that are media: a playlist could make it read other files.
"""

from __future__ import annotations

import shutil
import subprocess
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_FORMATS = "aac,aiff,amr,asf,avi,caf,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,wav"
_FRAME = ("-map", "0:v:0", "-frames:v", "1", "-c:v", "png", "-f", "image2pipe")
_VOICE = (
    *("-map", "0:a:0", "-map_metadata", "-1"),
    *("-c:a", "libopus", "-ac", "1", "-ar", "48000", "-b:a", "32k", "-application", "voip"),
    *("-f", "ogg"),
)
_PATIENCE = 60.0
"""Seconds that a conversion may take."""
_GLIMPSE = 15.0
"""Seconds that a frame may take, without which a film can be sent as well."""


class Missing(Exception):  # noqa: N818 - ffmpeg is
    """It is not installed."""


class Failed(Exception):  # noqa: N818 - so it has
    """It cannot do it with these bytes."""


def first_frame(film: bytes | bytearray) -> bytes | None:
    """Return the first picture of a film, or None if it cannot be had."""
    try:
        return _run(film, _FRAME, _GLIMPSE)
    except (Missing, Failed, OSError):
        return None


def voice(sound: bytes | bytearray, limit: int) -> bytes:
    """Return the sound as a voice message: Opus in Ogg, one channel.

    Args:
        sound: Bytes of any format that ffmpeg reads.
        limit: How many bytes the result may have; one that would have more ends there.

    Raises:
        Missing: ffmpeg is not installed.
        Failed: It finds no sound.
        TimeoutError: It takes too long, which may be the machine's fault.
    """
    return _run(sound, (*_VOICE, "-fs", str(limit)), _PATIENCE)


def _run(data: bytes | bytearray, options: Sequence[str], seconds: float) -> bytes:
    program = shutil.which("ffmpeg")
    if program is None:
        raise Missing
    with NamedTemporaryFile(prefix="outbox-") as file:
        file.write(data)
        file.flush()
        reading = ("-protocol_whitelist", "file", "-format_whitelist", _FORMATS, "-i", file.name)
        try:
            done = subprocess.run(  # noqa: S603 - the options are ours, and there is no shell
                (program, "-nostdin", "-v", "error", "-threads", "1", *reading, *options, "pipe:1"),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"ffmpeg took more than {seconds:.0f} seconds") from error
    if done.returncode < 0:
        # Not the file's fault: the machine had no memory, or is being shut down.
        raise OSError(f"ffmpeg was killed by signal {-done.returncode}")
    if done.returncode or not done.stdout:
        raise Failed(done.stderr.decode(errors="replace").strip())
    return done.stdout
