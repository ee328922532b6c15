"""Moving months between the log and archives.

Each step leaves everything in the database until the last, which is one transaction, so whoever is
killed at any moment has lost nothing: the next run begins again with the oldest month.

1. Write the month's events to a file, and put the file where it belongs.
2. Read it back from there, and compare it with what was written.
3. Record the archive, and commit. Until then nobody else archives.
4. Detach and drop the month's table, if it still has as many events.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from outbox.archive import file
from outbox.archive.storage import location, put
from outbox.log import months
from outbox.log.months import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from outbox.log.database import Connection
    from outbox.log.months import Archive

_TOLD = 1000
"""Events after which progress is told."""


def archive(
    connection: Connection,
    partition: str,
    folder: str,
    *,
    step: Callable[[str], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
) -> Archive:
    """Move a month out of the log into an archive, and return it.

    Args:
        connection: Where the log is; in no transaction.
        partition: The name of the month's table.
        folder: A path, a file:// URL, or s3://bucket/prefix.
        step: Told which step comes next.
        progress: Told how many more events have been written, or read back.

    Raises:
        ArchiveError: Something keeps the month in the database, somebody else is archiving, or
            the file is not what was written.
        psycopg.errors.LockNotAvailable: Somebody reads the log; the archive is there, and the
            month still in the database, too.
    """
    url = location(folder, f"{partition}.jsonl.gz")
    with connection.transaction():
        month = months.hold(connection, partition)
        if month.obstacle is not None:
            raise ArchiveError(f"{partition} stays in the database: {month.obstacle}")
        with tempfile.TemporaryDirectory(prefix="outbox-archive-") as own:
            path = Path(own) / "events.jsonl.gz"
            step("write")
            written = file.write(path, _counted(months.lines(connection, month), progress))
            step("put")
            put(url, path)
        step("read back")
        content = hashlib.sha256()
        for line in _counted(file.lines_at(url, written.sha256), progress):
            content.update(hashlib.sha256(line.encode()).digest())
        if content.digest() != written.content:
            raise ArchiveError(f"{url} holds other events than were written to it")
        step("record")
        months.record(
            connection,
            month,
            written.positions,
            written.events,
            url,
            written.size,
            written.sha256,
        )
    step("drop")
    months.drop(connection, partition)
    step("done")
    return next(one for one in months.archives(connection) if one.partition == partition)


def restore(
    connection: Connection, archive: Archive, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Put a month back from its archive, which stays.

    Args:
        connection: Where the log is; in no transaction.
        archive: Which.
        progress: Told how many more events have been put back.

    Raises:
        ArchiveError: The archive cannot be read, is not the one that was written, or the month is
            in the database.
    """
    if archive.dropped_at is None:
        raise ArchiveError(f"{archive.partition} is in the database: there is nothing to restore")
    months.put_back(connection, archive, _counted(file.lines(archive), progress))


def _counted(lines: Iterable[str], progress: Callable[[int], None]) -> Iterator[str]:
    nth = 0
    for nth, line in enumerate(lines, 1):
        yield line
        if nth % _TOLD == 0:
            progress(_TOLD)
    progress(nth % _TOLD)
