"""Followers of the log: each event once, in every stream's own order, whatever commits when.

Positions are not the order of commits, so a follower does not remember one. It remembers a
snapshot: a read returns what the snapshot of now sees and the remembered one does not, by position,
and remembers the snapshot of now instead. Invariants:

1. Of the events that are committed, none is missed and none comes twice, so long as what a read
   returned and the move of its cursor commit together. Where the effect lies outside the database,
   the cursor moves after it: then an event may come again, and none is missed.
2. Events of one stream come in the order of their versions.
3. A transaction that is left open delays its own events and nobody else's.
4. A read holds at most `limit` events. A follower that is further behind goes towards one fixed
   snapshot in steps, by ranges of positions, and may be stopped between any two.
5. After a restore from a dump, when transaction ids mean nothing any more, it goes on where it
   was: `outbox.restore_epoch` says through which position the log came with the restore.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from outbox.errors import OutboxError, refusal
from outbox.log import restore
from outbox.log.database import query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any, LiteralString
    from uuid import UUID

    from outbox.log.database import Connection

_LIMIT = 1000
_NEVER = 2**63 - 1
"""A position that no event has."""


class CursorMoved(OutboxError):  # noqa: N818 - named after what happened, as the refusals are
    """Somebody else has moved the consumer's cursor since the batch was taken."""


class _Columns(NamedTuple):
    position: int
    recorded_at: datetime
    account: str
    stream: UUID
    version: int
    type: str
    data_json: str
    metadata_json: str


class Event(_Columns):
    """A fact of the log, whose JSON is read when it is asked for: most who follow look at little.

    Attributes:
        position: Its place in the log; grows within a stream, and is not the order of commits.
        recorded_at: When it was appended, by the database's clock.
        account: The account.
        stream: The notification, the account's connection, or the recipient.
        version: 1, 2, 3 … within the stream.
        type: What happened, in the past tense.
        data_json: `data` as PostgreSQL writes it.
        metadata_json: `metadata` as PostgreSQL writes it.
    """

    @cached_property
    def data(self) -> dict[str, Any]:
        """What the projections need to know of it."""
        found: dict[str, Any] = json.loads(self.data_json)
        return found

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """Who appended it."""
        found: dict[str, Any] = json.loads(self.metadata_json)
        return found


@dataclass(frozen=True, slots=True)
class Cursor:
    """What of the log has been seen.

    Attributes:
        epoch: The restore epoch of `snapshot`.
        snapshot: All that it sees, as PostgreSQL writes a pg_snapshot.
        towards_epoch: The restore epoch of `towards`.
        towards: On the way to this snapshot, for a follower that is far behind; otherwise None.
        position: Of what `towards` sees, all up to here.
    """

    epoch: int
    snapshot: str
    towards_epoch: int | None = None
    towards: str | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """One read of the log.

    Attributes:
        events: At most as many as were asked for, by position.
        before: What had been seen before the read.
        after: What has been seen once the events have been dealt with.
        complete: Whether this is all there was; otherwise there is more to read at once.
        step: The snapshot that the read goes towards, for who deals with some of the events only.
    """

    events: list[Event]
    before: Cursor
    after: Cursor
    complete: bool
    step: Cursor

    def part(self, count: int) -> Batch:
        """Return the batch with its first events only: what follows them is read again."""
        if count >= len(self.events):
            return self
        events = self.events[:count]
        after = replace(self.step, position=events[-1].position) if events else self.before
        return replace(self, events=events, after=after, complete=False)


_BEGINNING = Cursor(0, "1:1:")


class Follower:
    """Reads the log on from where its consumer stands.

    The cursor of a named consumer is a row of `outbox.cursor`; without a name it is kept in memory
    and ends with the follower. Used by one thread at a time.

    Args:
        connection: Where the log is; to a primary, and in no transaction when a follower is made.
        consumer: The name of the cursor, such as "webhooks"; None to remember nothing.
        back: Where a new cursor begins: so many positions before the end of the log, or None for
            its beginning.
        cursor: Where one that is kept in memory goes on, instead.

    Raises:
        ValueError: The server is a standby, whose snapshots do not name running transactions.
    """

    def __init__(
        self,
        connection: Connection,
        consumer: str | None = None,
        *,
        back: int | None = 0,
        cursor: Cursor | None = None,
    ) -> None:
        self.consumer = consumer
        self._connection = connection
        if _text(connection, "select pg_is_in_recovery()::text") == "true":
            raise ValueError("a standby's snapshots name no running transactions: ask the primary")
        self._epoch = restore.begin(connection).number
        rows = connection.execute("select epoch, restored_through from outbox.restore_epoch")
        self._restored_through: dict[int, int] = {0: 0, **dict(rows.fetchall())}
        self._span = 0
        self._cursor = cursor or self._beginning(back)
        if consumer is not None:
            connection.execute(_CREATE, (consumer, *_fields(self._cursor)))

    @contextmanager
    def read(self, limit: int = _LIMIT) -> Iterator[list[Event]]:
        """Read on inside one transaction, which the consumer's own statements join.

        The cursor moves when the block ends, and stays where it is when the block raises. Who
        reads as the same consumer meanwhile waits.

        Args:
            limit: How many events at most.
        """
        with self._connection.transaction():
            batch = self._take(limit, lock=True)
            yield batch.events
            self._move(batch)
        self._cursor = batch.after

    def take(self, limit: int = _LIMIT) -> Batch:
        """Read on, for effects outside the database; `move` when they are done.

        Args:
            limit: How many events at most.
        """
        return self._take(limit, lock=False)

    def move(self, batch: Batch) -> None:
        """Move the cursor behind a batch.

        Raises:
            CursorMoved: Somebody else has read as the same consumer since the batch was taken.
        """
        self._move(batch)
        self._cursor = batch.after

    def epoch_of(self, position: int) -> int:
        """Return in which restore epoch an event was appended, which with its position names it.

        What a restore has lost gives its position to something else, in the next epoch.
        """
        return max(
            (number for number, through in self._restored_through.items() if through < position),
            default=1,
        )

    def _beginning(self, back: int | None) -> Cursor:
        if back is None:
            return _BEGINNING
        now = _text(self._connection, _NOW)
        if not back:
            return Cursor(self._epoch, now)
        start = max(self._last_position() - back, 0)
        return replace(_BEGINNING, towards_epoch=self._epoch, towards=now, position=start)

    def _load(self, *, lock: bool) -> Cursor:
        if self.consumer is None:
            return self._cursor
        row = self._connection.execute(_LOCK if lock else _LOAD, (self.consumer,)).fetchone()
        if row is None:
            raise CursorMoved(f"the cursor of {self.consumer} has been deleted")
        return Cursor(*row)

    def _move(self, batch: Batch) -> None:
        if self.consumer is not None:
            move(self._connection, self.consumer, batch)

    def _take(self, limit: int, *, lock: bool) -> Batch:
        if limit < 1:
            raise ValueError(f"a read takes at least one event, not {limit}")
        cursor = self._load(lock=lock)
        if cursor.towards is None and cursor.epoch == self._epoch:
            return self._take_recent(cursor, limit)
        return self._take_range(cursor, limit)

    def _take_recent(self, cursor: Cursor, limit: int) -> Batch:
        """Take what has come since the cursor's snapshot: a follower that keeps up."""
        rows = self._connection.execute(
            query("follow"),
            {
                "seen": cursor.snapshot,
                "restored_through": self._restored_through[self._epoch],
                "limit": limit + 1,
            },
            prepare=True,
        ).fetchall()
        now = rows[0][0]
        events = [Event._make(row[1:]) for row in rows if row[1] is not None]
        step = replace(cursor, towards_epoch=self._epoch, towards=now, position=0)
        if len(events) <= limit:
            return Batch(events, cursor, Cursor(self._epoch, now), complete=True, step=step)
        del events[limit:]
        after = replace(step, position=events[-1].position)
        return Batch(events, cursor, after, complete=False, step=step)

    def _take_range(self, before: Cursor, limit: int) -> Batch:
        """Take the next step towards a snapshot, by positions: a follower that is far behind."""
        cursor = before
        if cursor.towards_epoch is None or cursor.towards is None or cursor.position is None:
            position = self._restored_through[cursor.epoch]
            towards = _text(self._connection, _NOW)
            cursor = replace(cursor, towards_epoch=self._epoch, towards=towards, position=position)
        else:
            towards, position = cursor.towards, cursor.position
        epoch = cursor.towards_epoch or self._epoch
        last = self._last_position()
        self._span = max(self._span, limit)
        while True:
            through = position + self._span
            rows = self._connection.execute(
                query("follow_range"),
                {
                    "after": position,
                    "through": through,
                    "seen": cursor.snapshot,
                    "restored_through": self._restored_through[cursor.epoch],
                    "ended_at": self._ended_at(cursor.epoch),
                    "towards": towards,
                    "towards_restored_through": self._restored_through[epoch],
                    "towards_ended_at": self._ended_at(epoch),
                    "limit": limit,
                },
                prepare=False,
            )
            events = [Event._make(row) for row in rows]
            if len(events) == limit:
                self._span //= 2
                after = replace(cursor, position=events[-1].position)
                return Batch(events, before, after, complete=False, step=cursor)
            if through >= last:
                # There may be news since that snapshot was taken.
                after = Cursor(epoch, towards)
                return Batch(events, before, after, complete=False, step=cursor)
            self._span *= 2
            if events:
                after = replace(cursor, position=through)
                return Batch(events, before, after, complete=False, step=cursor)
            position = through

    def _ended_at(self, epoch: int) -> int:
        """Return through which position a restore has kept what the epoch's snapshots know."""
        return self._restored_through.get(epoch + 1, _NEVER)

    def _last_position(self) -> int:
        """Return a position that no event which is visible by now lies behind."""
        return int(_text(self._connection, "select last_value::text from outbox.event_position"))


def start(connection: Connection, position: int | None) -> Cursor:
    """Return a cursor that begins at a position of the log, or now.

    Args:
        connection: Where the log is; not inside a savepoint.
        position: Of the first event to come; None for what is appended from now on.

    Raises:
        InvalidWebhook: The log has no such position, or from there on not all is in the database.
    """
    epoch = restore.begin(connection).number
    now = _text(connection, _NOW)
    if position is None:
        return Cursor(epoch, now)
    last = int(_text(connection, "select last_value::text from outbox.event_position"))
    if not 1 <= position <= last + 1:
        raise refusal("bad_position", str(position), f"It has 1 to {last}, and {last + 1} is next.")
    archived = int(_text(connection, _ARCHIVED))
    if position < archived:
        more = (
            f"Events before {archived} lie in an archive: begin there, or first bring them back "
            "with: outbox archive restore"
        )
        raise refusal("bad_position", str(position), f"{more}.")
    return replace(_BEGINNING, towards_epoch=epoch, towards=now, position=position - 1)


def move(connection: Connection, consumer: str, batch: Batch) -> None:
    """Move the cursor of a consumer behind a batch.

    Raises:
        CursorMoved: Somebody else has read as the same consumer since the batch was taken.
    """
    if batch.after == batch.before or (not batch.events and batch.complete):
        return  # nothing was there, so there is nothing to write
    change = (*_fields(batch.after), consumer, *_fields(batch.before))
    if connection.execute(_MOVE, change).rowcount != 1:
        raise CursorMoved(f"another follower has read as {consumer}, too")


def place(connection: Connection, consumer: str, cursor: Cursor) -> None:
    """Let a consumer stand somewhere else, or begin there; who reads as it finds itself moved."""
    connection.execute(_PLACE, (consumer, *_fields(cursor)))


_ARCHIVED = """
    select coalesce(max(upper(positions)), 1)::text from outbox.archive where dropped_at is not null
"""
"""From here on all is in the database."""
_NOW = "select outbox.current_snapshot()::text"
_COLUMNS = "epoch, snapshot::text, towards_epoch, towards::text, position"
_LOAD = f"select {_COLUMNS} from outbox.cursor where consumer = %s"  # noqa: S608 - ours alone
_LOCK = f"{_LOAD} for update"
_CREATE = """
    insert into outbox.cursor (consumer, epoch, snapshot, towards_epoch, towards, position)
    values (%s, %s, %s, %s, %s, %s) on conflict do nothing
"""
_PLACE = """
    insert into outbox.cursor (consumer, epoch, snapshot, towards_epoch, towards, position)
    values (%s, %s, %s, %s, %s, %s)
    on conflict (consumer) do update
    set epoch = excluded.epoch, snapshot = excluded.snapshot, position = excluded.position,
        towards_epoch = excluded.towards_epoch, towards = excluded.towards,
        moved_at = statement_timestamp()
"""
_MOVE = f"""
    update outbox.cursor
    set epoch = %s, snapshot = %s, towards_epoch = %s, towards = %s, position = %s,
        moved_at = statement_timestamp()
    where consumer = %s and ({_COLUMNS}) is not distinct from (%s, %s, %s, %s, %s)
"""  # noqa: S608 - the same


def _fields(cursor: Cursor) -> tuple[int, str, int | None, str | None, int | None]:
    return (cursor.epoch, cursor.snapshot, cursor.towards_epoch, cursor.towards, cursor.position)


def _text(connection: Connection, statement: LiteralString) -> str:
    row = connection.execute(statement).fetchone()
    if row is None:
        raise RuntimeError(f"no row: {statement}")
    return str(row[0])
