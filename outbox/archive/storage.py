"""Where archives lie: a folder, or a bucket of anything that speaks S3.

obstore is the only one who knows the difference. What a bucket wants to know is in AWS's own
variables: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, and AWS_ENDPOINT_URL where the
bucket is not Amazon's.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from outbox.log.months import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore.store import ObjectStore

_PIECE = 1 << 20


def location(folder: str, name: str) -> str:
    """Return the URL of a file.

    Args:
        folder: A path, a file:// URL, or s3://bucket or s3://bucket/prefix.
        name: Of the file.

    Raises:
        ArchiveError: The folder is something else.
    """
    scheme, separator, _ = folder.partition("://")
    if not separator:
        folder = Path(folder).absolute().as_uri()
    elif scheme not in {"file", "s3"}:
        raise ArchiveError(
            f"Archives do not lie at {folder}: give a folder, or a bucket as s3://bucket/prefix"
        )
    return f"{folder.rstrip('/')}/{name}"


def put(url: str, file: Path) -> None:
    """Write a file to where a URL says: as a whole, or not at all.

    Raises:
        ArchiveError: It cannot be written.
    """
    import obstore  # noqa: PLC0415 - only who archives pays for it

    folder, _, name = url.rpartition("/")
    with _explained(url, "written"):
        obstore.put(_store(folder), name, file)


def get(url: str) -> Iterator[bytes]:
    """Yield what a file holds, in pieces.

    Raises:
        ArchiveError: It cannot be read.
    """
    import obstore  # noqa: PLC0415

    folder, _, name = url.rpartition("/")
    with _explained(url, "read"):
        for piece in obstore.get(_store(folder), name).stream(min_chunk_size=_PIECE):
            yield bytes(piece)


def _store(folder: str) -> ObjectStore:
    from obstore.store import LocalStore, from_url  # noqa: PLC0415

    if folder.startswith("file://"):
        return LocalStore.from_url(folder, mkdir=True)
    # A bucket on this machine or network may speak plain HTTP; which one it is its owner says.
    return from_url(folder, client_options={"allow_http": True})


@contextmanager
def _explained(url: str, done: str) -> Iterator[None]:
    from obstore.exceptions import BaseError  # noqa: PLC0415

    try:
        yield
    except (BaseError, OSError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ArchiveError(f"{url} cannot be {done}: {reason}") from error
