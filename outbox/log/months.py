"""The log's months: which of them may leave the database, how they leave it and come back.

Invariants: a month leaves only when it is over, every event of it is under a seal, every follower
has read it and every notification from before its end has ended; and only when an archive of just
as many events is on record. What is appended later to a notification of that month still fits,
since the projections keep its row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql
from psycopg.rows import class_row

from outbox.errors import OutboxError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from psycopg.types.multirange import Int8Multirange

    from outbox.log.database import Connection


class ArchiveError(OutboxError):
    """A month cannot be archived, or what was read of an archive is not what was written."""


_PATIENCE = "1s"
"""How long those who append may have to wait behind who waits to take a month out."""
_LINES = 5_000
"""Put back at a time."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the log that is over, and in the database.

    Attributes:
        partition: Its table's name.
        began_at: Its first moment.
        ended_at: The first moment of the next one.
        size: What it takes on the disk, indexes included, in bytes.
        obstacle: What keeps it from being archived; None where nothing does.
    """

    partition: str
    began_at: datetime
    ended_at: datetime
    size: int
    obstacle: str | None


@dataclass(frozen=True, slots=True)
class Archive:
    """A month of the log of which there is an archive: a row of `outbox.archive`.

    Attributes:
        partition: Its table's name.
        began_at: Its first moment.
        ended_at: The first moment of the next one.
        events: How many.
        positions: Of them.
        location: The URL of the file.
        size: Of the file, in bytes.
        sha256: Of the file.
        archived_at: When.
        dropped_at: Since when the archive alone holds them; None while the database does, too.
    """

    partition: str
    began_at: datetime
    ended_at: datetime
    events: int
    positions: Int8Multirange
    location: str
    size: int
    sha256: bytes
    archived_at: datetime
    dropped_at: datetime | None


def archivable(connection: Connection) -> list[Month]:
    """Return the months that are over, the oldest first, and what keeps each in the database."""
    with connection.cursor(row_factory=class_row(Month)) as cursor:
        return cursor.execute("select * from outbox.archivable()").fetchall()


def this_month(connection: Connection) -> datetime:
    """Return the first moment of the month, in UTC, by the database's clock."""
    row = connection.execute("select date_trunc('month', now() at time zone 'UTC')").fetchone()
    if row is None:
        raise RuntimeError("no row")
    began: datetime = row[0]
    return began


def hold(connection: Connection, partition: str) -> Month:
    """Return a month that is over, and let nobody else archive until the transaction ends.

    Args:
        connection: Where the log is; in a transaction.
        partition: Its table's name.

    Raises:
        ArchiveError: Somebody else is archiving, or there is no such month.
    """
    row = connection.execute(
        "select pg_try_advisory_xact_lock(hashtext('outbox archive'))"
    ).fetchone()
    if row != (True,):
        raise ArchiveError("somebody else is archiving: try again when that is done")
    found = archivable(connection)
    for one in found:
        if one.partition == partition:
            return one
    names = ", ".join(one.partition for one in found) or "none"
    raise ArchiveError(f"{partition} is no month that is over and in the database: {names}")


def archives(connection: Connection) -> list[Archive]:
    """Return the months that lie in archives, the oldest first."""
    with connection.cursor(row_factory=class_row(Archive)) as cursor:
        return cursor.execute("select * from outbox.archive order by began_at").fetchall()


def lines(connection: Connection, month: Month) -> Iterator[str]:
    """Yield a month's events as lines of JSON, in the order of positions.

    Args:
        connection: Where the log is; in a transaction.
        month: Which.
    """
    with connection.cursor(name="outbox_lines") as cursor:
        cursor.itersize = _LINES
        cursor.execute(
            "select outbox.event_line(e) from outbox.event e"
            " where e.recorded_at >= %s and e.recorded_at < %s order by e.position",
            (month.began_at, month.ended_at),
        )
        yield from (line for (line,) in cursor)


def record(
    connection: Connection,
    month: Month,
    positions: Int8Multirange,
    events: int,
    location: str,
    size: int,
    sha256: bytes,
) -> None:
    """Record that there is an archive of a month, in place of an earlier one.

    Args:
        connection: Where the log is.
        month: Which.
        positions: Of its events.
        events: How many there are.
        location: The URL of the file.
        size: Of the file, in bytes.
        sha256: Of the file.
    """
    connection.execute(
        """
        insert into outbox.archive
            (partition, began_at, ended_at, positions, events, location, size, sha256)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (partition) do update set
            positions = excluded.positions, events = excluded.events, location = excluded.location,
            size = excluded.size, sha256 = excluded.sha256, archived_at = statement_timestamp()
        """,
        (
            month.partition,
            month.began_at,
            month.ended_at,
            positions,
            events,
            location,
            size,
            sha256,
        ),
    )


def drop(connection: Connection, partition: str) -> None:
    """Take a month out of the log of which there is an archive.

    Args:
        connection: Where the log is; in no transaction.
        partition: Its table's name.

    Raises:
        psycopg.errors.LockNotAvailable: Somebody is reading the log; nothing has changed.
        psycopg.errors.ObjectNotInPrerequisiteState: It is not what was archived.
    """
    with connection.transaction():
        connection.execute(f"set local lock_timeout = '{_PATIENCE}'")
        connection.execute("select outbox.drop_partition(%s)", (partition,))


def put_back(connection: Connection, archive: Archive, found: Iterable[str]) -> None:
    """Put a month back into the log, from the lines of its archive; nothing is projected.

    Args:
        connection: Where the log is; in no transaction.
        archive: Which.
        found: The lines, in any order; who gives them vouches that they are the archive's.
    """
    with connection.transaction():
        connection.execute(f"set local lock_timeout = '{_PATIENCE}'")
        connection.execute("select outbox.prepare_partition(%s)", (archive.began_at.date(),))
        for part in chunks(found):
            connection.execute(
                sql.SQL("insert into outbox.{} select * from outbox.events_of(%s)").format(
                    sql.Identifier(archive.partition)
                ),
                (part,),
            )
        connection.execute("select outbox.attach_partition(%s)", (archive.began_at.date(),))
        connection.execute(
            "update outbox.archive set dropped_at = null where partition = %s",
            (archive.partition,),
        )


def chunks(found: Iterable[str]) -> Iterator[str]:
    """Yield lines as JSON arrays of many, as `outbox.events_of` takes them."""
    part: list[str] = []
    for line in found:
        part.append(line)
        if len(part) == _LINES:
            yield _array(part)
            part.clear()
    if part:
        yield _array(part)


def _array(part: Sequence[str]) -> str:
    return f"[{','.join(part)}]"
