"""The log as a web process follows it, for all that watch it there."""

from collections.abc import Iterator
from queue import Queue
from threading import Event as Flag

import psycopg
import pytest

from outbox.log.follow import Event
from outbox.web.feed import Feed
from tests.cli_runner import enqueue

PATIENCE = 20.0
APPLICATION = "outbox web feed"


@pytest.fixture
def feed(database_url: str) -> Iterator[Feed]:
    """A feed that follows the test's database."""
    closing = Flag()
    feed = Feed(database_url, pooled=False, closing=closing)
    feed.start()
    yield feed
    closing.set()
    feed.join()


def _heard(feed: Feed) -> Queue[Event]:
    """Return what the feed tells, once it follows."""
    heard: Queue[Event] = Queue()

    def listen(events: list[Event]) -> None:
        for event in events:
            heard.put(event)

    feed.listen(listen)
    return heard


def _wait_until_it_follows(feed: Feed, connection: psycopg.Connection) -> None:
    heard = _heard(feed)
    while heard.empty():
        enqueue(connection)
        connection.execute("select pg_sleep(0.1)")


def test_each_event_is_told_once_to_everybody(feed: Feed, connection: psycopg.Connection) -> None:
    """Whoever listens is told of every event of its time, in the order of the log."""
    _wait_until_it_follows(feed, connection)
    first, second = _heard(feed), _heard(feed)
    ids = [enqueue(connection) for _ in range(5)]
    for heard in (first, second):
        told: list[Event] = []
        while len(told) < 5:
            event = heard.get(timeout=PATIENCE)
            if event.stream in ids:
                told.append(event)
        assert [event.stream for event in told] == ids


def test_a_lost_connection_loses_no_event(feed: Feed, connection: psycopg.Connection) -> None:
    """What is appended while the feed is away is told when it is back, once."""
    _wait_until_it_follows(feed, connection)
    heard = _heard(feed)
    before = enqueue(connection)
    while heard.get(timeout=PATIENCE).stream != before:
        pass
    connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where application_name = %s and datname = current_database()",
        (APPLICATION,),
    )
    meanwhile, after = enqueue(connection), enqueue(connection)
    assert [heard.get(timeout=PATIENCE).stream for _ in range(2)] == [meanwhile, after]
    last = enqueue(connection)
    assert heard.get(timeout=PATIENCE).stream == last


def test_who_has_stopped_listening_hears_no_more(
    feed: Feed, connection: psycopg.Connection
) -> None:
    """The others do."""
    _wait_until_it_follows(feed, connection)
    gone: list[Event] = []
    stop = feed.listen(gone.extend)
    heard = _heard(feed)
    stop()
    told_before = len(gone)
    one = enqueue(connection)
    while heard.get(timeout=PATIENCE).stream != one:
        pass
    assert len(gone) == told_before


def test_a_listener_that_fails_ends_nothing(feed: Feed, connection: psycopg.Connection) -> None:
    """The others are told of everything, and the feed goes on."""
    _wait_until_it_follows(feed, connection)

    def fail(_events: list[Event]) -> None:
        raise RuntimeError("not today")

    feed.listen(fail)
    heard = _heard(feed)
    for one in (enqueue(connection), enqueue(connection)):
        while heard.get(timeout=PATIENCE).stream != one:
            pass
