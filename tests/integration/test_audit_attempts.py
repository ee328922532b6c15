"""audit.timeline, attempts and attempts_to: the story of a notification and of a recipient."""

from typing import Any

import psycopg
import pytest

from tests.account import Account
from tests.day import DAY, Day

pytestmark = pytest.mark.undone

NUMBER = "447700900101"


def attempts(connection: psycopg.Connection, since: str = "00:00", until: str = "23:59") -> Any:  # noqa: ANN401
    """Return what happened to attempts within a part of the day, recipient by recipient."""
    return connection.execute(
        "select account, number, notifications, started, sent, failed, rejected, doubted,"
        " last_error from audit.attempts(%s, %s) order by account, number nulls last",
        (f"{DAY} {since}Z", f"{DAY} {until}Z"),
    ).fetchall()


def attempts_to(connection: psycopg.Connection, recipient: str) -> Any:  # noqa: ANN401
    """Return every attempt to reach a recipient, the latest first."""
    return connection.execute(
        "select account, attempt, took::text, outcome, class, error, message_id"
        " from audit.attempts_to(%s)",
        (recipient,),
    ).fetchall()


def fail(day: Day, at: str, stream: Any, error: str) -> None:  # noqa: ANN401
    """Let an attempt fail within half a minute."""
    day.start(f"{at}:00", stream)
    day.end(f"{at}:30", stream, "attempt_failed", **{"class": "transient"}, error=error)


def test_a_timeline_tells_what_who_and_how_long_after(connection: psycopg.Connection) -> None:
    """Each event has what was told with it, and the token or worker that did it."""
    day = Day(connection)
    day.own("08:00", "worker.1")
    stream = day.enqueue("09:00", NUMBER, "hello")
    fail(day, "09:01", stream, "479")
    day.send("09:02", stream, "09:03", "A")
    rows = connection.execute(
        "select since_last::text, type, attempt, told, who from audit.timeline(%s)", (stream,)
    ).fetchall()
    assert rows == [
        (None, "enqueued", None, None, "token shop"),
        ("00:01:00", "attempt_started", 1, None, "worker worker.1"),
        ("00:00:30", "attempt_failed", 1, "479", "worker worker.1"),
        ("00:00:30", "attempt_started", 2, None, "worker worker.1"),
        ("00:01:00", "sent", 2, "A", "worker worker.1"),
    ]


def test_a_notification_that_nobody_knows_has_no_timeline(connection: psycopg.Connection) -> None:
    """It is empty, not an error."""
    rows = connection.execute("select * from audit.timeline(gen_random_uuid())").fetchall()
    assert rows == []


def test_attempts_are_counted_per_recipient(connection: psycopg.Connection) -> None:
    """By what happened to them, over all notifications of the recipient, with the latest error."""
    day = Day(connection)
    first, second = day.enqueue("09:00", NUMBER, "one"), day.enqueue("09:00", NUMBER, "two")
    fail(day, "09:01", first, "older")
    day.send("09:02", first, "09:03", "A")
    fail(day, "09:04", second, "newer")
    other = day.enqueue("09:00", "447700900102", "three")
    day.start("09:01", other)
    day.end("09:02", other, "attempt_unknown", error="lost")
    day.end("09:03", other, "attempt_unknown", message_id="B")
    none = day.enqueue("09:00", "447700900103", "four")
    day.start("09:01", none)
    day.end("09:02", none, "rejected", error="not on WhatsApp")
    day.enqueue("09:00", "447700900104", "not tried")
    assert attempts(connection) == [
        ("main", NUMBER, 2, 3, 1, 2, 0, 0, "newer"),
        ("main", "447700900102", 1, 1, 0, 0, 0, 1, "lost"),
        ("main", "447700900103", 1, 1, 0, 0, 1, 0, "not on WhatsApp"),
    ]


def test_attempts_of_what_was_enqueued_before_the_period_count(
    connection: psycopg.Connection,
) -> None:
    """Whom they were for is found though the period does not tell it."""
    day = Day(connection)
    stream = day.enqueue("08:00", NUMBER, "early")
    fail(day, "08:30", stream, "before")
    day.send("09:30", stream, "09:31", "A")
    day.enqueue("08:00", "447700900102", "waits")
    assert attempts(connection, "09:00") == [("main", NUMBER, 1, 1, 1, 0, 0, 0, None)]


def test_accounts_are_counted_apart(connection: psycopg.Connection) -> None:
    """The same recipient of two accounts has a row of each, and one account can be asked for."""
    for first, account in ((1, "main"), (1_000, "other")):
        day = Day(connection, account, first=first)
        day.send("09:01", day.enqueue("09:00", NUMBER, "hello"), "09:02", account)
    assert [row[:2] for row in attempts(connection)] == [("main", NUMBER), ("other", NUMBER)]
    rows = connection.execute(
        "select account, sent from audit.attempts('-infinity', for_account => 'other')"
    ).fetchall()
    assert rows == [("other", 1)]


def test_every_attempt_to_a_recipient_is_told(connection: psycopg.Connection) -> None:
    """The latest first; one whose doubt was settled became what it was settled as."""
    day = Day(connection)
    stream = day.enqueue("09:00", NUMBER, "hello")
    fail(day, "09:01", stream, "479")
    day.start("09:02", stream)
    day.end("09:03", stream, "attempt_unknown", error="lost")
    day.end("09:04", stream, "attempt_unknown", message_id="A")
    day.end("09:05", stream, "sent", evidence="receipt")
    out = day.enqueue("09:06", NUMBER, "again")
    day.start("09:07", out)
    assert attempts_to(connection, f"+{NUMBER}") == [
        ("main", 1, None, None, None, None, None),
        ("main", 2, "00:03:00", "sent", None, "lost", "A"),
        ("main", 1, "00:00:30", "attempt_failed", "transient", "479", None),
    ]


def test_attempts_go_on_counting_when_a_notification_is_requeued_twice(
    connection: psycopg.Connection,
) -> None:
    """Each attempt of all lives is told once."""
    account = Account.owned(connection)
    notification = account.enqueue(1)
    for _ in range(2):
        account.send(notification, "rejected")
        account.requeue(notification)
    account.send(notification, "sent", "A")
    assert [row[1::2] for row in attempts_to(connection, "+447700900001")] == [
        (3, "sent", None),
        (2, "rejected", None),
        (1, "rejected", None),
    ]
    rows = connection.execute("select started, sent, rejected from audit.attempts('-infinity')")
    assert rows.fetchall() == [(3, 1, 2)]


def test_an_erased_recipient_is_found_by_id_and_has_no_number(
    connection: psycopg.Connection,
) -> None:
    """Erasing takes the number, not the record."""
    day = Day(connection)
    day.send("09:01", day.enqueue("09:00", NUMBER, "hello"), "09:02", "A")
    row = connection.execute("delete from outbox.identity returning recipient").fetchone()
    assert row
    assert attempts(connection) == [("main", None, 1, 1, 1, 0, 0, 0, None)]
    assert len(attempts_to(connection, str(row[0]))) == 1
    assert attempts_to(connection, f"+{NUMBER}") == []
