"""Replay: the projections rebuilt from the log alone, as they are or as they were at a moment.

Invariants: the rules that project live rebuild, so a rebuild of the whole log equals the live
projections row for row. Log and projections are read through one snapshot, so this holds beside
any traffic. The rebuild has a schema of its own and changes nothing else; it is there as a whole or
not at all, whatever interrupts it. The database holds one range of positions in memory, and this
process none.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

from outbox.errors import OutboxError
from outbox.log.months import archives, chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from typing import Any, LiteralString

    from outbox.log.database import Connection
    from outbox.log.months import Archive

    Archived = Callable[[Archive], Iterable[str]]

_BATCH = 50_000
"""Positions that are projected at a time: more are hardly faster, and take longer to interrupt."""


class PartlyArchivedError(OutboxError):
    """Months that are asked for lie in archives alone, so the log in the database is not whole."""


class Difference(NamedTuple):
    """A row that the live projections and the rebuilt ones do not agree on."""

    projection: str
    """notification, recipient, connection or suppression."""
    key: str
    """Its id; of a connection, the account."""
    live: dict[str, Any] | None
    """None if only the rebuild has the row."""
    replayed: dict[str, Any] | None
    """None if only the live projection has it."""

    @property
    def account(self) -> str:
        """The account that the row belongs to."""
        return str((self.live or self.replayed or {})["account"])

    @property
    def columns(self) -> dict[str, tuple[Any, Any]]:
        """The columns that differ, each with its live and its replayed value; all if one has none.

        Values are as JSON writes them.
        """
        live, replayed = self.live or {}, self.replayed or {}
        return {
            name: (live.get(name), replayed.get(name))
            for name in live | replayed
            if name not in live or name not in replayed or live[name] != replayed[name]
        }


@contextmanager
def scratch(
    connection: Connection,
    until: datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
    archived: Archived | None = None,
) -> Iterator[str]:
    """Rebuild into a schema that is gone when the block ends; hand out its name.

    All within one transaction that is rolled back, so nothing is left behind, not even by a crash.

    Args:
        connection: Where the log is; in no transaction.
        until: Project what was recorded before this moment; None for the whole log.
        progress: Told now and then how many positions are done, and of how many.
        archived: Gives the lines of an archive; None where there is none to be read.

    Raises:
        PartlyArchivedError: There are archives, and nobody gives their lines.
    """
    schema = fresh_name()
    with one_snapshot(connection, force_rollback=True):
        rebuild(connection, schema, until, progress, archived=archived)
        yield schema


def rebuild(
    connection: Connection,
    schema: str,
    until: datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
    note: dict[str, Any] | None = None,
    archived: Archived | None = None,
) -> None:
    """Rebuild the projections into a new schema, as a whole or not at all.

    They go on projecting what is inserted into the schema's own table `event`, and have no indexes
    but their keys, until `outbox.finish_replay` makes them what they shall be.

    Args:
        connection: Where the log is; in no transaction, or in one that is repeatable read.
        schema: Its name; the caller drops it.
        until: Project what was recorded before this moment; None for the whole log.
        progress: Told now and then how many positions are done, and of how many.
        note: What `outbox.replays` says of the schema.
        archived: Gives the lines of an archive; None where there is none to be read.

    Raises:
        PartlyArchivedError: Some of it is not in the database.
        psycopg.errors.DuplicateSchema: There is such a schema.
    """
    with one_snapshot(connection):
        connection.execute("select outbox.begin_replay(%s, %s)", (schema, Jsonb(note or {})))
        last = last_position(connection)
        for archive, lines in _away(connection, until, archived):
            for part in chunks(lines):
                connection.execute(_LINES, (schema, part, until))
            if progress:
                progress(min(archive.positions[-1].upper or 0, last), last)
        done = _one(connection, _REPLAY, schema, 0, until, _BATCH)
        while done is not None:
            if progress:
                progress(min(done, last), last)
            done = _one(connection, _REPLAY, schema, done, until, _BATCH)


def differences(connection: Connection, schema: str) -> Iterator[Difference]:
    """Compare a rebuild of the whole log with the live projections; nothing when they agree.

    What has changed since the rebuild differs, too, unless both are in one transaction: use
    `scratch`. The connection does nothing else until the last difference has been taken.
    """
    statement = "select projection, key, live, replayed from outbox.replay_differences(%s)"
    with connection.cursor() as cursor:
        for row in cursor.stream(statement, (schema,)):
            yield Difference(*row)


def last_position(connection: Connection) -> int:
    """Return a position that no event which is visible by now lies behind."""
    return int(_one(connection, "select last_value from outbox.event_position"))


def fresh_name() -> str:
    """Return the name of a schema that is not there yet."""
    return f"outbox_replay_{secrets.token_hex(4)}"


@contextmanager
def one_snapshot(connection: Connection, *, force_rollback: bool = False) -> Iterator[None]:
    """Join the caller's transaction, or begin one that sees the database as it is now."""
    outermost = connection.info.transaction_status == TransactionStatus.IDLE
    with connection.transaction(force_rollback=force_rollback):
        if outermost:
            connection.execute("set transaction isolation level repeatable read")
            # Before the snapshot is taken: no month leaves the log that it sees.
            connection.execute("lock table outbox.event in access share mode")
        yield


def _away(
    connection: Connection, until: datetime | None, archived: Archived | None
) -> Iterator[tuple[Archive, Iterable[str]]]:
    """Yield the archives of what is in the database no more, the oldest first, and their lines."""
    for one in archives(connection):
        if one.dropped_at is None or (until is not None and one.began_at >= until):
            continue
        if archived is None:
            raise PartlyArchivedError(
                f"The log is not whole, so it cannot be replayed: {one.partition} lies in an "
                f"archive alone; put it back first with: outbox archive restore"
            )
        yield one, archived(one)


_LINES = "select outbox.replay_lines(%s, %s, coalesce(%s, 'infinity'::timestamptz))"
_REPLAY = "select outbox.replay(%s, %s, coalesce(%s, 'infinity'::timestamptz), %s)"


def _one(connection: Connection, statement: LiteralString, *parameters: object) -> Any:  # noqa: ANN401
    row = connection.execute(statement, parameters).fetchone()
    return row[0] if row else None
