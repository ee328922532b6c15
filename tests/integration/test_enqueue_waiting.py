"""Sending and waiting: what a caller hears, and that nothing is lost when it hears nothing."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, exc
from sqlalchemy.ext.asyncio import create_async_engine

from outbox import (
    InvalidOption,
    Sending,
    TextTooLong,
    TransactionOpenError,
    UnknownNotification,
    enqueue,
    send,
    send_async,
    wait_for,
    wait_for_async,
)
from tests.enqueue_ways import driver

TO = "+44 7700 900123"
LONG = 20.0

Send = Callable[..., Sending]


def by_url(url: str, **given: Any) -> Sending:  # noqa: ANN401
    """Send with nothing but a URL."""
    return send(url, **given)


def by_connection(url: str, **given: Any) -> Sending:  # noqa: ANN401
    """Send on a connection that opens a transaction with its first statement."""
    with psycopg.connect(url) as connection:
        return send(connection, **given)


def by_autocommit(url: str, **given: Any) -> Sending:  # noqa: ANN401
    """Send on a connection that commits each statement."""
    with psycopg.connect(url, autocommit=True) as connection:
        return send(connection, **given)


def by_engine(url: str, **given: Any) -> Sending:  # noqa: ANN401
    """Send through an engine of SQLAlchemy."""
    engine = create_engine(driver(url))
    try:
        return send(engine, **given)
    finally:
        engine.dispose()


def by_async_connection(url: str, **given: Any) -> Sending:  # noqa: ANN401
    """Send on an asynchronous connection."""

    async def run() -> Sending:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            return await send_async(connection, **given)

    return asyncio.run(run())


def by_async_engine(url: str, **given: Any) -> Sending:  # noqa: ANN401
    """Send through an asynchronous engine of SQLAlchemy."""

    async def run() -> Sending:
        engine = create_async_engine(driver(url))
        try:
            return await send_async(engine, **given)
        finally:
            await engine.dispose()

    return asyncio.run(run())


ways = pytest.mark.parametrize(
    "way",
    [by_url, by_connection, by_autocommit, by_engine, by_async_connection, by_async_engine],
    ids=lambda way: way.__name__,
)


def append(connection: psycopg.Connection, id_: UUID, *events: tuple[str, str]) -> None:
    """Append events to a notification, as its account's owner does."""
    for type_, data in events:
        connection.execute(
            "insert into outbox.event (account, stream, version, type, data) "
            "select account, id, version + 1, %s, %s from outbox.notification where id = %s",
            (type_, data, id_),
        )


def committed(connection: psycopg.Connection) -> UUID:
    """Return the only notification, as soon as it is committed."""
    until = monotonic() + 10
    while monotonic() < until:
        row = connection.execute("select id from outbox.notification").fetchone()
        if row is not None:
            id_: UUID = row[0]
            return id_
        sleep(0.01)
    raise AssertionError("nothing was committed")


@contextmanager
def sending(way: Send, url: str, **given: Any) -> Iterator[Callable[[], Sending]]:  # noqa: ANN401
    """Send in a thread, and hand out what gives the result."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(way, url, **given).result


SENT = [("attempt_started", "{}"), ("sent", '{"message_id": "3EB0A1"}')]


@ways
def test_sent(way: Send, database_url: str, connection: psycopg.Connection) -> None:
    """The waiter hears soon that WhatsApp has taken the message, and under which id."""
    with sending(way, database_url, to=TO, text="hello", wait=LONG) as result:
        id_ = committed(connection)
        append(connection, id_, *SENT)
        began = monotonic()
        found = result()
    assert found == Sending(id_, "sent", "3EB0A1")
    assert (found.sent, found.ended) == (True, False)
    assert monotonic() - began < LONG / 4


@ways
def test_not_sent_in_time(way: Send, database_url: str, connection: psycopg.Connection) -> None:
    """The waiter hears that it is still queued, and with which id; it stays queued."""
    began = monotonic()
    found = way(database_url, to=TO, text="hello", wait=0.2)
    assert 0.2 <= monotonic() - began < LONG / 4
    assert found == Sending(committed(connection), "pending")
    assert (found.sent, found.ended) == (False, False)


@pytest.mark.parametrize("state", ["rejected", "expired", "exhausted", "cancelled"])
def test_ended_without_success(
    database_url: str, connection: psycopg.Connection, state: str
) -> None:
    """The waiter hears at once when there is nothing to wait for any more, and why."""
    with sending(by_url, database_url, to=TO, text="hello", wait=LONG) as result:
        id_ = committed(connection)
        events = [("attempt_started", "{}")]
        if state != "rejected":
            events.append(("attempt_failed", '{"error": "no route", "class": "transient"}'))
        append(connection, id_, *events, (state, '{"error": "no route"}'))
        began = monotonic()
        found = result()
    assert found == Sending(id_, state, last_error="no route")
    assert (found.sent, found.ended) == (False, True)
    assert monotonic() - began < LONG / 4


@pytest.mark.parametrize("state", ["delivered", "read", "played"])
def test_what_is_delivered_was_sent(
    database_url: str, connection: psycopg.Connection, state: str
) -> None:
    """A receipt that is quicker than the waiter's look does not hide that it was sent."""
    row = connection.execute(enqueue(to=TO, text="hello")).fetchone()
    assert row is not None
    append(connection, row[0], *SENT, (state, "{}"))
    found = wait_for(database_url, row[0], LONG)
    assert found == Sending(row[0], state, "3EB0A1")
    assert found.sent


def test_an_unknown_outcome_is_waited_out(
    database_url: str, connection: psycopg.Connection
) -> None:
    """It may have been sent, so it is neither success nor the end."""
    row = connection.execute(enqueue(to=TO, text="hello")).fetchone()
    assert row is not None
    append(connection, row[0], ("attempt_started", "{}"), ("attempt_unknown", '{"error": "x"}'))
    found = wait_for(database_url, row[0], 0.1)
    assert found == Sending(row[0], "unknown", last_error="x")
    assert not found.sent
    assert not found.ended


def test_the_same_key_waits_for_the_first(
    database_url: str, connection: psycopg.Connection
) -> None:
    """Sending again with the key after a crash sends nothing twice."""
    first = send(database_url, to=TO, text="hello", idempotency_key="a", wait=0)
    append(connection, first.id, *SENT)
    again = send(database_url, to=TO, text="hello", idempotency_key="a", wait=LONG)
    assert again == Sending(first.id, "sent", "3EB0A1")


@ways
def test_a_refusal_enqueues_nothing(
    way: Send, database_url: str, connection: psycopg.Connection
) -> None:
    """Whether Python refuses or the database."""
    with pytest.raises(TextTooLong):
        way(database_url, to=TO, text="x" * 65537)
    with pytest.raises(psycopg.DataError, match="Media not stored"):
        way(database_url, to=TO, content={"kind": "image", "media": "0" * 64})
    assert connection.execute("select from outbox.event").fetchall() == []


def test_a_connection_within_a_transaction_is_refused(database_url: str) -> None:
    """What it enqueues would not be committed, and waiting for it be in vain."""
    with psycopg.connect(database_url) as connection:
        connection.execute("select 1")
        with pytest.raises(TransactionOpenError, match="commit it first"):
            send(connection, to=TO, text="hello")
        with pytest.raises(TransactionOpenError):
            wait_for(connection, uuid4())
        with pytest.raises(TypeError, match="give a URL"):
            send(connection.cursor(), to=TO, text="hello")  # type: ignore[arg-type]
        assert connection.execute("select from outbox.event").fetchall() == []
    with psycopg.connect(database_url, autocommit=True) as connection:
        with connection.transaction(), pytest.raises(TransactionOpenError):
            send(connection, to=TO, text="hello")
        assert not send(connection, to=TO, text="hello", wait=0).sent


def test_no_look_holds_a_transaction(database_url: str, connection: psycopg.Connection) -> None:
    """While it waits, a connection is idle: vacuum and migrations go on."""
    with psycopg.connect(database_url) as waiter, ThreadPoolExecutor(1) as pool:
        future = pool.submit(send, waiter, to=TO, text="hello", wait=1)
        committed(connection)
        states = []
        while not future.done():
            query = "select state from pg_stat_activity where pid = %s"
            states += connection.execute(query, (waiter.info.backend_pid,)).fetchall()
            sleep(0.01)
    assert states.count(("idle",)) > len(states) / 2


def test_the_isolation_of_a_connection_hides_nothing(
    database_url: str, connection: psycopg.Connection
) -> None:
    """Each look has a snapshot of its own, also where transactions have one for all statements."""
    engine = create_engine(driver(database_url), isolation_level="REPEATABLE READ")
    row = connection.execute(enqueue(to=TO, text="hello")).fetchone()
    assert row is not None
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(wait_for, engine, row[0], LONG)
        sleep(0.1)
        append(connection, row[0], *SENT)
        assert future.result().sent
    engine.dispose()


def test_a_lost_connection_does_not_lose_the_id(
    database_url: str, connection: psycopg.Connection
) -> None:
    """After the commit nothing is raised: with a URL it connects again and hears the end."""
    with sending(by_url, database_url, to=TO, text="hello", wait=LONG) as result:
        id_ = committed(connection)
        killed = connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'outbox send' and datname = current_database()"
        ).fetchall()
        assert killed == [(True,)]
        append(connection, id_, *SENT)
        assert result() == Sending(id_, "sent", "3EB0A1")


@pytest.mark.parametrize("way", [by_connection, by_async_connection])
def test_a_connection_that_stays_lost(
    way: Send, database_url: str, connection: psycopg.Connection
) -> None:
    """With nothing to connect again by, the result says what was seen last."""
    with sending(way, database_url, to=TO, text="hello", wait=0.5) as result:
        id_ = committed(connection)
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where pid <> pg_backend_pid() and datname = current_database()"
        )
        assert result() == Sending(id_, "pending")


def test_the_waiter_dies(database_url: str, connection: psycopg.Connection) -> None:
    """A killed waiter takes nothing along: it was committed before the waiting began."""
    program = f"import outbox; outbox.send({database_url!r}, to={TO!r}, text='hello', wait=60)"
    with subprocess.Popen([sys.executable, "-c", program]) as waiter:
        id_ = committed(connection)
        waiter.kill()
    assert waiter.returncode < 0
    append(connection, id_, *SENT)
    assert wait_for(database_url, id_, 0).sent


@pytest.mark.parametrize("seconds", [0, LONG])
def test_an_unknown_id_is_refused(database_url: str, seconds: float) -> None:
    """Nobody waits for what is not there, or not committed."""
    began = monotonic()
    with pytest.raises(UnknownNotification):
        wait_for(database_url, uuid4(), seconds)
    with psycopg.connect(database_url) as other:
        row = other.execute(enqueue(to=TO, text="hello")).fetchone()
        assert row is not None
        with pytest.raises(UnknownNotification, match=str(row[0])):
            wait_for(database_url, row[0], seconds)
    assert monotonic() - began < LONG / 4


def test_waiting_asynchronously_blocks_nothing(
    database_url: str, connection: psycopg.Connection
) -> None:
    """Many wait in one event loop at the same time, each for its own."""
    ids = [connection.execute(enqueue(to=TO, text=str(n))).fetchall()[0][0] for n in range(5)]

    async def run() -> list[Sending]:
        engine = create_async_engine(driver(database_url), pool_size=2)
        try:
            waiters = [asyncio.create_task(wait_for_async(engine, id_, LONG)) for id_ in ids]
            await asyncio.sleep(0.1)
            for id_ in ids:
                await asyncio.to_thread(append, connection, id_, *SENT)
            return list(await asyncio.gather(*waiters))
        finally:
            await engine.dispose()

    assert [found.id for found in asyncio.run(run()) if found.sent] == ids


def test_a_server_that_is_not_there(database_url: str) -> None:
    """Before anything is enqueued an error is an error, and an option is still judged first."""
    nowhere = "postgresql://127.0.0.1:1/outbox"
    with pytest.raises(psycopg.OperationalError):
        send(nowhere, to=TO, text="hello")
    with pytest.raises(psycopg.OperationalError):
        wait_for(nowhere, uuid4())
    engine = create_engine(driver(nowhere))
    with pytest.raises(exc.OperationalError):
        wait_for(engine, uuid4())
    with pytest.raises(InvalidOption):
        send(nowhere, to=TO, text="hello", priority=99999)
