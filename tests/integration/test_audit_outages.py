"""audit.held_up and audit.outages: what waited for a connection that was down, and how long."""

from typing import Any

import psycopg
import pytest

from tests.account import Account
from tests.day import DAY, Day
from tests.integration.test_audit_connection import connect, lose

pytestmark = pytest.mark.undone


def held_up(connection: psycopg.Connection, since: str = "00:00", until: str = "23:59") -> Any:  # noqa: ANN401
    """Return what the outages of a part of the day held up: who, what it became, how late."""
    return connection.execute(
        "select account, number, became, late::text from audit.held_up(%s, %s)"
        " order by account, began_at, number",
        (f"{DAY} {since}Z", f"{DAY} {until}Z"),
    ).fetchall()


def outages(connection: psycopg.Connection) -> Any:  # noqa: ANN401
    """Return the outages of the day: whose, how many each held up, the median and the longest."""
    return connection.execute(
        "select account, held_up, median_late::text, longest_late::text from audit.outages(%s, %s)",
        (f"{DAY} 00:00Z", f"{DAY} 23:59Z"),
    ).fetchall()


def test_what_was_due_during_an_outage_was_held_up(connection: psycopg.Connection) -> None:
    """Late counts from when it was due, or from the beginning of the outage if that is later."""
    day = Day(connection)
    connect(day, "08:00")
    before = day.enqueue("08:59:59", "1", "due before")
    lose(day, "09:00", "gone")
    during = day.enqueue("09:20", "2", "due during")
    scheduled = day.enqueue("07:00", "3", "came due during", due_at=f"{DAY} 09:30Z")
    day.enqueue("09:40", "4", "due later", due_at=f"{DAY} 12:00Z")
    ended = day.enqueue("09:45", "5", "ended during")
    day.tell("09:50", ended, "expired", {"state": "pending"})
    sent = day.enqueue("08:10", "6", "sent before")
    day.send("08:11", sent, "08:12", "A")
    connect(day, "10:00")
    for minute, stream in enumerate((before, during, scheduled), 1):
        day.send(f"10:0{minute}", stream, f"10:0{minute}:30", str(minute))
    after = day.enqueue("10:10", "7", "after")
    day.send("10:11", after, "10:12", "Z")
    assert held_up(connection) == [
        ("main", "1", "sent", "01:01:30"),
        ("main", "2", "sent", "00:42:30"),
        ("main", "3", "sent", "00:33:30"),
        ("main", "5", "expired", "00:05:00"),
    ]
    assert outages(connection) == [("main", 4, "00:38:00", "01:01:30")]


def test_an_outage_that_held_up_nothing_is_an_outage(connection: psycopg.Connection) -> None:
    """It counts none, and has no lateness."""
    day = Day(connection)
    connect(day, "08:00")
    lose(day, "09:00", "gone")
    connect(day, "10:00")
    assert outages(connection) == [("main", 0, None, None)]


def test_what_still_waits_is_late_until_now(connection: psycopg.Connection) -> None:
    """In an outage without end what is due waits for it; it has become nothing yet."""
    account = Account.owned(connection)
    account.transition("connected")
    account.transition("disconnected", "gone")
    account.enqueue(1)
    account.enqueue(2, send_at="2999-01-01T00:00:00Z", expires_in="1 day")
    rows = connection.execute(
        "select number, became, became_at, late = statement_timestamp() - due_at"
        " from audit.held_up('-infinity')"
    ).fetchall()
    assert rows == [("447700900001", None, None, True)]
    row = connection.execute("select ended_at, held_up from audit.outages('-infinity')").fetchone()
    assert row == (None, 1)


def test_what_was_being_sent_was_not_held_up(connection: psycopg.Connection) -> None:
    """A worker that stops waits for outcomes: what is acknowledged meanwhile had left before."""
    day = Day(connection)
    connect(day, "08:00")
    stream = day.enqueue("08:59", "1", "in flight")
    day.start("08:59:59", stream)
    day.link("09:00", "draining")
    day.end("09:00:02", stream, "sent", message_id="A")
    day.link("09:00:03", "lease_released", epoch=1)
    connect(day, "09:01")
    assert held_up(connection) == []


def test_an_attempt_in_doubt_counts_once_it_is_known_to_have_failed(
    connection: psycopg.Connection,
) -> None:
    """Proven by a receipt it had left; held for an operator it waits for nobody's connection."""
    day = Day(connection)
    connect(day, "08:00")
    failed, proven, held = (
        day.enqueue("08:59", number, "in doubt", on_unknown=policy)
        for number, policy in (("1", "resend"), ("2", "resend"), ("3", "hold"))
    )
    for stream in (failed, proven, held):
        day.start("08:59:30", stream)
    day.link("09:00", "lease_lost", epoch=2)
    for stream in (failed, proven, held):
        day.end("09:00", stream, "attempt_unknown", error="died")
    connect(day, "09:10")
    for stream in (failed, held):
        day.end("09:10:30", stream, "attempt_unknown", message_id="A")
    day.end("09:11", proven, "sent", evidence="receipt")
    day.end("09:12", failed, "attempt_failed", **{"class": "unconfirmed"}, error="no receipt")
    day.send("09:13", failed, "09:14", "B")
    assert held_up(connection) == [("main", "1", "sent", "00:14:00")]


def test_a_recipient_s_own_failures_are_not_the_outage_s(connection: psycopg.Connection) -> None:
    """What waits for its retry beyond the end of the outage would have waited without it."""
    day = Day(connection)
    connect(day, "08:00")
    streams = []
    for number, retry_at in (("1", "09:30"), ("2", "11:00")):
        stream = day.enqueue("08:10", number, "fails")
        day.start("08:58", stream)
        day.end(
            "08:59",
            stream,
            "attempt_failed",
            **{"class": "transient"},
            error="479",
            retry_at=f"{DAY} {retry_at}Z",
        )
        streams.append(stream)
    lose(day, "09:00", "gone")
    connect(day, "10:00")
    day.send("10:01", streams[0], "10:02", "A")
    day.send("11:01", streams[1], "11:02", "B")
    assert held_up(connection) == [("main", "1", "sent", "00:32:00")]


def test_attempts_that_found_no_connection_are_one_wait(connection: psycopg.Connection) -> None:
    """However often a notification was tried during an outage, it was held up once."""
    day = Day(connection)
    connect(day, "08:00")
    stream = day.enqueue("08:59:59", "1", "tried")
    lose(day, "09:00", "gone")
    for minute in (1, 2, 3):
        day.start(f"09:0{minute}", stream)
        day.end(
            f"09:0{minute}",
            stream,
            "attempt_failed",
            **{"class": "not_sent"},
            error="no connection",
        )
    connect(day, "09:10")
    day.send("09:11", stream, "09:12", "A")
    assert held_up(connection) == [("main", "1", "sent", "00:12:00")]


def test_each_life_of_a_notification_that_was_requeued_is_its_own(
    connection: psycopg.Connection,
) -> None:
    """Requeued twice, it was held up in the lives that an outage met, from when each began."""
    day = Day(connection)
    connect(day, "08:00")
    stream = day.enqueue("08:10", "1", "requeued")
    day.tell("08:20", stream, "cancelled")
    lose(day, "09:00", "first")
    day.requeue("09:10", stream, "cancelled")
    day.tell("09:20", stream, "expired", {"state": "pending"})
    connect(day, "09:30")
    lose(day, "10:00", "second")
    connect(day, "10:10")
    lose(day, "11:00", "third")
    day.requeue("11:10", stream, "expired")
    connect(day, "11:30")
    day.send("11:31", stream, "11:32", "A")
    assert held_up(connection) == [
        ("main", "1", "expired", "00:10:00"),
        ("main", "1", "sent", "00:22:00"),
    ]
    assert [row[1] for row in outages(connection)] == [1, 0, 1]


def test_an_outage_holds_up_its_own_account_only(connection: psycopg.Connection) -> None:
    """What other accounts had due meanwhile is not its doing."""
    main, other = Day(connection), Day(connection, "other", first=1_000)
    connect(main, "08:00")
    connect(other, "08:00")
    lose(main, "09:00", "gone")
    mine, theirs = main.enqueue("09:10", "1", "held up"), other.enqueue("09:10", "2", "not")
    other.send("09:11", theirs, "09:40", "A")
    connect(main, "09:20")
    main.send("09:21", mine, "09:22", "B")
    assert held_up(connection) == [("main", "1", "sent", "00:12:00")]


def test_what_was_held_up_longer_than_two_outages_is_in_both(
    connection: psycopg.Connection,
) -> None:
    """A backlog that the time between two outages does not clear was held up by each."""
    day = Day(connection)
    connect(day, "08:00")
    lose(day, "09:00", "first")
    stream = day.enqueue("09:10", "1", "unlucky")
    connect(day, "09:30")
    lose(day, "09:31", "second")
    connect(day, "10:00")
    day.send("10:01", stream, "10:02", "A")
    assert held_up(connection) == [
        ("main", "1", "sent", "00:52:00"),
        ("main", "1", "sent", "00:31:00"),
    ]
    assert held_up(connection, "09:31", "09:40") == [("main", "1", "sent", "00:31:00")]


def test_a_recipient_that_was_erased_has_no_number(connection: psycopg.Connection) -> None:
    """The row stays, with the recipient's id."""
    day = Day(connection)
    connect(day, "08:00")
    lose(day, "09:00", "gone")
    day.enqueue("09:10", "1", "forgotten")
    connection.execute("delete from outbox.identity")
    row = connection.execute(
        "select number, recipient is not null from audit.held_up(%s, %s)",
        (f"{DAY} 00:00Z", f"{DAY} 23:59Z"),
    ).fetchone()
    assert row == (None, True)


def test_ids_are_older_than_the_moment_after_them(connection: psycopg.Connection) -> None:
    """What was enqueued in the very millisecond in which an outage ended is not overlooked."""
    row = connection.execute(
        "select bool_and(outbox.uuid7(m) < audit.id_after(m)),"
        " bool_and(outbox.uuid7(m + '2 milliseconds') > audit.id_after(m))"
        " from generate_series('2026-03-10'::timestamptz, '2026-03-10 00:00:00.01', '37 us') m"
    ).fetchone()
    assert row == (True, True)
