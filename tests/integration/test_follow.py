"""Followers of the log: nothing missed, nothing doubled, each stream in its order."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from outbox.log.follow import CursorMoved, Event, Follower
from tests.account import Account


@contextmanager
def another(url: str) -> Iterator[psycopg.Connection]:
    """Connect once more, in transactions."""
    with psycopg.connect(url) as connection:
        yield connection


def positions(connection: psycopg.Connection) -> list[int]:
    """Return the positions of all committed events."""
    rows = connection.execute("select position from outbox.event order by position")
    return [row[0] for row in rows]


def drain(follower: Follower, limit: int = 1000) -> list[Event]:
    """Read until there is no more."""
    events: list[Event] = []
    while True:
        batch = follower.take(limit)
        follower.move(batch)
        events += batch.events
        assert len(batch.events) <= limit
        if batch.complete:
            return events


def test_a_follower_begins_where_it_is_told(connection: psycopg.Connection) -> None:
    """A new cursor begins at the end of the log, so many positions before it, or at its start."""
    account = Account(connection)
    for _ in range(5):
        account.enqueue()
    everything = positions(connection)
    assert drain(Follower(connection)) == []
    assert [e.position for e in drain(Follower(connection, back=2))] == everything[-2:]
    assert [e.position for e in drain(Follower(connection, back=999))] == everything
    assert [e.position for e in drain(Follower(connection, back=None))] == everything


def test_an_event_is_as_it_was_appended(connection: psycopg.Connection) -> None:
    """A follower is given every field of an event, in the types of Python."""
    follower = Follower(connection)
    account = Account(connection, "sales")
    notification = account.enqueue(metadata={"by": "tests"})
    with follower.read() as (event,):
        row = connection.execute(
            "select position, recorded_at, account, stream, version, type, data, metadata"
            " from outbox.event"
        ).fetchone()
        assert row == (
            event.position,
            event.recorded_at,
            "sales",
            notification,
            1,
            "enqueued",
            event.data,
            {"by": "tests"},
        )
        assert event.data["max_attempts"] == 10


def test_a_later_commit_of_an_earlier_position_is_not_missed(
    connection: psycopg.Connection, database_url: str
) -> None:
    """A transaction that began first and commits last is read when it commits, and delays none."""
    follower = Follower(connection)
    with another(database_url) as slow:
        first = Account(slow).enqueue(1)
        second = Account(connection).enqueue(2)
        assert [e.stream for e in drain(follower)] == [second]
        slow.commit()
    assert [e.stream for e in drain(follower)] == [first]
    assert drain(follower) == []


def test_what_is_rolled_back_is_never_read(
    connection: psycopg.Connection, database_url: str
) -> None:
    """Events of a transaction or savepoint that was rolled back do not exist; those beside do."""
    follower = Follower(connection)
    with another(database_url) as caller:
        account = Account(caller)
        kept = account.enqueue()
        with caller.transaction(force_rollback=True):
            account.enqueue()
        with caller.transaction():
            nested = account.enqueue()
        assert drain(follower) == []
        caller.commit()
        account.enqueue()
        caller.rollback()
    assert [e.stream for e in drain(follower)] == [kept, nested]


def test_a_stream_keeps_its_order_across_transactions(
    connection: psycopg.Connection, database_url: str
) -> None:
    """An older transaction that appends later to a stream comes later, whatever its id."""
    follower = Follower(connection)
    account = Account(connection)
    with another(database_url) as older:
        older.execute("select pg_current_xact_id()")
        notification = account.enqueue()
        Account(older).cancel(notification)
        older.commit()
    assert [(e.version, e.type) for e in drain(follower)] == [(1, "enqueued"), (2, "cancelled")]


def test_what_a_reader_appends_itself_comes_with_its_next_read(
    connection: psycopg.Connection, database_url: str
) -> None:
    """A consumer may append in the transaction that reads; its own events are not lost by it.

    PostgreSQL's snapshots do not count the asking transaction as running.
    """
    follower = Follower(connection, "echo")
    account = Account(connection)
    first = account.enqueue()
    with follower.read() as events:  # its cursor's row is locked, so it has an id by now
        assert [e.stream for e in events] == [first]
        with another(database_url) as busy:
            Account(busy).enqueue(2)
        second = account.enqueue(3)
        assert len(drain(Follower(connection, back=None))) == 2
    read = [e.stream for e in drain(follower)]
    assert read[-1] == second
    assert len(read) == 2


def test_a_reader_far_behind_is_given_its_own_events_later(connection: psycopg.Connection) -> None:
    """The same holds on the way of a follower that goes in steps."""
    account = Account(connection)
    follower = Follower(connection, "echo", back=None)
    written: list[str] = []
    for _ in range(3):
        account.enqueue()
    read = 0
    for _ in range(20):
        with follower.read(1) as events:
            read += len(events)
            if len(written) < 3:
                written.append(str(account.enqueue(2)))
    assert read == 6
    assert drain(follower) == []


def test_a_named_cursor_outlives_its_follower(connection: psycopg.Connection) -> None:
    """A consumer goes on where it was, also in the middle of a long way."""
    account = Account(connection)
    Follower(connection, "webhooks")
    for _ in range(10):
        account.enqueue()
    read: list[int] = []
    for limit in (3, 3, 1, 100, 100):
        with Follower(connection, "webhooks").read(limit) as events:
            read += [e.position for e in events]
        account.enqueue()
    read += [e.position for e in drain(Follower(connection, "webhooks"))]
    assert read == positions(connection)


@pytest.mark.parametrize("consumer", ["metrics", None])
def test_a_read_that_fails_is_read_again(
    connection: psycopg.Connection, consumer: str | None
) -> None:
    """The cursor moves with what the consumer does, or not at all."""
    follower = Follower(connection, consumer)
    notification = Account(connection).enqueue()
    with pytest.raises(ZeroDivisionError), follower.read():
        raise ZeroDivisionError
    with follower.read() as events:
        assert [e.stream for e in events] == [notification]
    with follower.read() as events:
        assert events == []


def test_a_batch_is_taken_again_until_the_cursor_moves(connection: psycopg.Connection) -> None:
    """For effects outside the database the cursor moves after them: at least once."""
    follower = Follower(connection, "webhooks")
    Account(connection).enqueue()
    lost, batch = follower.take(), follower.take()
    assert len(lost.events) == 1
    assert lost.events == batch.events
    follower.move(batch)
    assert follower.take().events == []


def test_of_two_who_read_as_one_consumer_one_is_told(connection: psycopg.Connection) -> None:
    """A cursor that somebody else has moved meanwhile is not moved back."""
    one, other = Follower(connection, "webhooks"), Follower(connection, "webhooks")
    account = Account(connection)
    account.enqueue()
    late = one.take()
    account.enqueue()
    other.move(other.take())
    with pytest.raises(CursorMoved, match="webhooks"):
        one.move(late)
    assert one.take().events == []


def test_who_reads_as_the_same_consumer_waits(
    connection: psycopg.Connection, database_url: str
) -> None:
    """Reads of one consumer follow each other, so each event is one reader's."""
    Account(connection).enqueue()
    first = Follower(connection, "metrics", back=None)
    with psycopg.connect(database_url, autocommit=True) as beside:
        second = Follower(beside, "metrics")
        beside.execute("set lock_timeout = '50ms'")
        with first.read() as events:
            assert len(events) == 1
            with pytest.raises(psycopg.errors.LockNotAvailable), second.read():
                pass
        with second.read() as events:
            assert events == []


def test_a_follower_that_finds_nothing_writes_nothing(connection: psycopg.Connection) -> None:
    """An idle follower leaves its cursor's row alone: rows updated for ever are what bloats."""
    follower = Follower(connection, "webhooks")
    before = connection.execute("select xmin::text from outbox.cursor").fetchall()
    with follower.read() as events:
        assert events == []
    follower.move(follower.take())
    assert connection.execute("select xmin::text from outbox.cursor").fetchall() == before


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_a_follower_far_behind_goes_in_steps(
    connection: psycopg.Connection, database_url: str, limit: int
) -> None:
    """A read holds at most its limit, over gaps and partitions, and what commits late comes too."""
    account = Account(connection)
    follower = Follower(connection)
    with another(database_url) as slow, another(database_url) as gap:
        late = [Account(slow).enqueue(3)]
        for _ in range(20):
            account.enqueue(1)
            Account(gap).enqueue(2)
            if limit > 1:
                gap.rollback()
        batch = follower.take(limit)
        follower.move(batch)
        read = [e.stream for e in batch.events]
        late.append(Account(slow).enqueue(4))
        slow.commit()
        gap.commit()
    read += [e.stream for e in drain(follower, limit)]
    rows = connection.execute("select stream from outbox.event").fetchall()
    assert sorted(read) == sorted(row[0] for row in rows)
    assert set(late) < set(read)


def test_a_read_takes_at_least_one_event(connection: psycopg.Connection) -> None:
    """A limit of nothing would never get on."""
    with pytest.raises(ValueError, match="at least one"):
        Follower(connection).take(0)


def test_a_deleted_cursor_is_noticed(connection: psycopg.Connection) -> None:
    """A consumer whose cursor an operator has removed does not begin anew by itself."""
    follower = Follower(connection, "webhooks")
    connection.execute("delete from outbox.cursor")
    with pytest.raises(CursorMoved, match="deleted"):
        follower.take()
