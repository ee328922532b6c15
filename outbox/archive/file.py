"""An archive's file: lines of JSON under gzip, one an event, in the order of positions.

`zcat` reads it, and SHA-256 over a line, without its end, is the digest that the event's seal was
made of.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from psycopg.types.multirange import Int8Multirange
from psycopg.types.range import Int8Range

from outbox.archive.storage import get
from outbox.log.chain import Block
from outbox.log.months import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from outbox.log.months import Archive

_PREFIX = '{"position":'
_LEVEL = 6
_TOGETHER = 5_000


class Written(NamedTuple):
    """What has been written.

    Attributes:
        events: How many.
        positions: Of them.
        size: Of the file, in bytes.
        sha256: Of the file.
        content: SHA-256 over the digests of the events.
    """

    events: int
    positions: Int8Multirange
    size: int
    sha256: bytes
    content: bytes


def write(path: Path, lines: Iterable[str]) -> Written:
    """Write a file and return what is in it.

    Args:
        path: Of the file.
        lines: The events, in the order of positions.
    """
    content = hashlib.sha256()
    events = 0
    runs: list[list[int]] = []
    # Without name and time in it, so that the same events make the same file.
    with path.open("wb") as raw, gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as file:
        for line in lines:
            at = position(line)
            if runs and runs[-1][1] == at:
                runs[-1][1] += 1
            else:
                runs.append([at, at + 1])
            text = line.encode()
            content.update(hashlib.sha256(text).digest())
            file.write(text + b"\n")
            events += 1
    with path.open("rb") as written:
        sha256 = hashlib.file_digest(written, "sha256").digest()
    return Written(
        events,
        Int8Multirange(Int8Range(begin, end) for begin, end in runs),
        path.stat().st_size,
        sha256,
        content.digest(),
    )


def lines(archive: Archive) -> Iterator[str]:
    """Yield the lines of an archive.

    Raises:
        ArchiveError: It cannot be read, or is not the file that was written.
    """
    yield from lines_at(archive.location, archive.sha256)


def lines_at(url: str, sha256: bytes) -> Iterator[str]:
    """Yield the lines of a file; that it is the one with this digest is known at its end.

    Raises:
        ArchiveError: It cannot be read, or is another one.
    """
    found = hashlib.sha256()
    unpacked = zlib.decompressobj(wbits=31)
    rest = b""
    try:
        for piece in get(url):
            found.update(piece)
            *whole, rest = (rest + unpacked.decompress(piece)).split(b"\n")
            yield from (line.decode() for line in whole)
    except (zlib.error, UnicodeDecodeError) as error:
        raise ArchiveError(f"{url} is not the archive that was written there: {error}") from error
    if found.digest() != sha256 or rest:
        raise ArchiveError(
            f"{url} is not the archive that was written there: its SHA-256 is "
            f"{found.hexdigest()}, and was {sha256.hex()}"
        )


def digests(archive: Archive) -> Iterator[Block]:
    """Yield the digests of an archive's events.

    Raises:
        ArchiveError: It cannot be read, or is not the file that was written.
    """
    found = lines(archive)
    while part := list(islice(found, _TOGETHER)):
        positions = [position(line) for line in part]
        yield Block(
            positions, [hashlib.sha256(line.encode()).digest() for line in part], positions[-1]
        )


def position(line: str) -> int:
    """Return the position that a line begins with.

    Raises:
        ArchiveError: It begins otherwise.
    """
    number = line[len(_PREFIX) : line.find(",")]
    if not line.startswith(_PREFIX) or not number.removeprefix("-").isdigit():
        raise ArchiveError(f"This is no event of an archive: {line[:60]}")
    return int(number)
