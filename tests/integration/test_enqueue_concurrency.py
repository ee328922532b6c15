"""Transactions that enqueue at the same time: who waits for whom, and who does not."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import IsolationLevel
from psycopg.errors import LockNotAvailable, SerializationFailure

from outbox import IdempotencyConflict, Notification, enqueue, enqueue_many
from outbox.caller.executable import Executable

TO, OTHER = "+44 7700 900123", "+44 7700 900124"
PNG = b"\x89PNG\r\n\x1a\n"

Two = tuple[psycopg.Connection, psycopg.Connection]


@pytest.fixture
def two(database_url: str) -> Iterator[Two]:
    """Two connections in transactions, neither of which waits for a lock for long."""
    with psycopg.connect(database_url) as one, psycopg.connect(database_url) as other:
        for connection in (one, other):
            connection.execute("set lock_timeout = '200ms'")
            connection.commit()
        yield one, other


def made(connection: psycopg.Connection, statement: Executable[UUID]) -> UUID:
    """Return the id that a statement gives."""
    row = connection.execute(statement).fetchone()
    assert row is not None
    id_: UUID = row[0]
    return id_


def known(connection: psycopg.Connection) -> None:
    """Let both recipients have been written to before."""
    with connection.transaction():
        connection.execute(enqueue_many([Notification(to=to, text="known") for to in (TO, OTHER)]))


@contextmanager
def waiting(connection: psycopg.Connection, statement: Executable[UUID]) -> Iterator[Future[UUID]]:
    """Execute in a thread, and go on once the database says that it waits for a lock."""
    connection.execute("set lock_timeout = '20s'")
    watcher = psycopg.connect(connection.info.dsn, autocommit=True)
    with watcher, ThreadPoolExecutor(1) as pool:
        future = pool.submit(made, connection, statement)
        until = monotonic() + 10
        query = "select wait_event_type from pg_stat_activity where pid = %s"
        while watcher.execute(query, (connection.info.backend_pid,)).fetchone() != ("Lock",):
            assert not future.done(), future.result()
            assert monotonic() < until, "it does not wait"
            sleep(0.01)
        yield future


def test_the_same_content_blocks_nobody(two: Two) -> None:
    """Open transactions that store the same new body to two recipients do not wait."""
    one, other = two
    known(one)
    made(one, enqueue(to=TO, text="the same"))
    made(other, enqueue(to=OTHER, text="the same"))
    made(other, enqueue_many([Notification(to=OTHER, text="the same")]))
    one.commit()
    other.commit()
    bodies = one.execute("select distinct body from outbox.content where body->>'text' <> 'known'")
    assert len(bodies.fetchall()) == 1


def test_the_same_recipient_blocks_nobody_once_known(two: Two) -> None:
    """Open transactions that write to the same known recipient do not wait."""
    one, other = two
    known(one)
    made(one, enqueue(to=TO, text="a"))
    made(other, enqueue(to=TO, text="b", idempotency_key="b"))
    made(other, enqueue_many([Notification(to=TO, text="c")]))
    one.commit()
    other.commit()


@pytest.mark.parametrize("ends", ["commit", "rollback"])
def test_the_first_message_to_a_new_recipient_waits(two: Two, ends: str) -> None:
    """Two first messages ever to the same recipient wait, and the recipient is one and the same."""
    one, other = two
    made(one, enqueue(to=TO, text="a"))
    with waiting(other, enqueue(to=TO, text="b")) as second:
        getattr(one, ends)()
        assert second.result(10) is not None
    other.commit()
    rows = other.execute("select count(*), count(distinct recipient) from outbox.notification")
    assert rows.fetchone() == (2 if ends == "commit" else 1, 1)


@pytest.mark.parametrize("many", [False, True], ids=["single", "batch"])
def test_the_same_key_at_the_same_time_gives_one_id(two: Two, many: bool) -> None:  # noqa: FBT001
    """The second waits until the first commits, and gets the first's id."""
    one, other = two
    known(one)

    def statement() -> Executable[UUID]:
        if many:
            return enqueue_many([Notification(to=TO, text="a", idempotency_key="a")])
        return enqueue(to=TO, text="a", idempotency_key="a")

    first = made(one, statement())
    with waiting(other, statement()) as second:
        one.commit()
        assert second.result(10) == first
    other.commit()
    assert other.execute("select count(*) from outbox.idempotency").fetchone() == (1,)
    assert other.execute("select count(*) from outbox.notification").fetchone() == (3,)


def test_the_same_key_after_a_rollback_is_free(two: Two) -> None:
    """The second waits until the first has rolled back, and makes its own."""
    one, other = two
    known(one)
    first = made(one, enqueue(to=TO, text="a", idempotency_key="a"))
    with waiting(other, enqueue(to=TO, text="b", idempotency_key="a")) as second:
        one.rollback()
        assert second.result(10) != first
    other.commit()


def test_a_conflict_is_seen_after_waiting(two: Two) -> None:
    """The second, which has other content, is refused once the first has committed."""
    one, other = two
    known(one)
    made(one, enqueue(to=TO, text="a", idempotency_key="a"))
    with waiting(other, enqueue(to=TO, text="b", idempotency_key="a")) as second:
        one.commit()
        with pytest.raises(IdempotencyConflict):
            second.result(10)


def test_a_wait_is_bounded_by_the_callers_lock_timeout(two: Two) -> None:
    """A caller who must not wait sets lock_timeout, and gets PostgreSQL's own error."""
    one, other = two
    made(one, enqueue(to=TO, text="a", idempotency_key="a"))
    with pytest.raises(LockNotAvailable):
        made(other, enqueue(to=TO, text="a", idempotency_key="a"))


def test_the_same_new_media_wait(two: Two) -> None:
    """Media are one row, so their first storing is waited for; then nobody waits any more."""
    one, other = two
    known(one)
    made(one, enqueue(to=TO, media=PNG, mime="image/png"))
    with waiting(other, enqueue(to=OTHER, media=PNG, mime="image/png")) as second:
        one.commit()
        assert second.result(10) is not None
    other.commit()
    other.execute("set lock_timeout = '200ms'")
    made(one, enqueue(to=TO, media=PNG, mime="image/png"))
    made(other, enqueue(to=OTHER, media=PNG, mime="image/png"))


@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
@pytest.mark.parametrize(
    "statement",
    [
        lambda: enqueue(to=TO, text="a", idempotency_key="a"),
        lambda: enqueue_many([Notification(to=TO, text="a", idempotency_key="a")]),
    ],
    ids=["single", "batch"],
)
def test_stricter_isolation(
    two: Two, level: IsolationLevel, statement: Callable[[], Executable[UUID]]
) -> None:
    """A key, or a recipient, that came after the snapshot is a serialization failure, no second."""
    one, other = two
    other.isolation_level = level
    other.execute("select 1 from outbox.notification").fetchall()
    first = made(one, statement())
    one.commit()
    with pytest.raises(SerializationFailure):
        made(other, statement())
    other.rollback()
    assert made(other, statement()) == first


def test_many_callers_with_one_key(database_url: str) -> None:
    """Eight at once, over and over: each key makes exactly one, and all hear the same id."""
    callers, keys = 8, 20
    barrier = threading.Barrier(callers)

    def call(_: int) -> list[Any]:
        with psycopg.connect(database_url, autocommit=True) as connection:
            ids = []
            for key in range(keys):
                barrier.wait(30)
                ids.append(made(connection, enqueue(to=TO, text="a", idempotency_key=str(key))))
        return ids

    with ThreadPoolExecutor(callers) as pool:
        found = list(pool.map(call, range(callers)))
    assert found == [found[0]] * callers
    with psycopg.connect(database_url) as connection:
        assert connection.execute(
            "select id from outbox.notification order by position"
        ).fetchall() == [(id_,) for id_ in found[0]]


def test_batches_in_opposite_order_do_not_deadlock(database_url: str) -> None:
    """Whatever the order of their items, batches lock new recipients and keys in one order."""
    numbers = range(200)

    def call(turn: int) -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            for round_ in range(5):
                items = [
                    Notification(
                        to=f"+4477{round_}09{n:05}", text="a", idempotency_key=f"{round_}-{n}"
                    )
                    for n in numbers
                ]
                connection.execute(enqueue_many(items if turn % 2 else items[::-1]))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(call, range(4)))
    with psycopg.connect(database_url) as connection:
        count = connection.execute("select count(*) from outbox.notification").fetchone()
    assert count == (5 * len(numbers),)
