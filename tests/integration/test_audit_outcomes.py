"""audit.duplicates, audit.latency and audit.dead_letters: how what was enqueued came out."""

from typing import Any

import psycopg
import pytest

from tests.account import Account
from tests.day import DAY, Day

pytestmark = pytest.mark.undone


def asked(connection: psycopg.Connection, query: bytes, since: str, until: str) -> Any:  # noqa: ANN401
    """Return what a query answers for a part of the day."""
    return connection.execute(query, (f"{DAY} {since}Z", f"{DAY} {until}Z")).fetchall()


def duplicates(connection: psycopg.Connection, since: str = "00:00", until: str = "23:59") -> Any:  # noqa: ANN401
    """Return what may have been doubled by a decision within a part of the day."""
    query = (
        b"select account, number, first_message_id, doubt, reason, second_message_id"
        b" from audit.duplicates(%s, %s)"
    )
    return asked(connection, query, since, until)


def latency(connection: psycopg.Connection, since: str = "00:00", until: str = "23:59") -> Any:  # noqa: ANN401
    """Return the hours of a part of the day, with how many and the medians."""
    query = (
        b"select extract(hour from hour at time zone 'UTC')::integer, sent, sent_p50::text,"
        b" delivered, delivered_p50::text from audit.latency(%s, %s)"
    )
    return asked(connection, query, since, until)


def dead_letters(connection: psycopg.Connection, since: str = "00:00", until: str = "23:59") -> Any:  # noqa: ANN401
    """Return what ended without success within a part of the day."""
    query = (
        b"select account, state, reason, notifications, requeued from audit.dead_letters(%s, %s)"
    )
    return asked(connection, query, since, until)


def doubt(day: Day, at: str, stream: Any, message_id: str | None) -> None:  # noqa: ANN401
    """Let an attempt come into doubt, and its trace be found if it left one."""
    day.start(f"{at}:00", stream)
    day.end(f"{at}:10", stream, "attempt_unknown", error="lost")
    if message_id:
        day.end(f"{at}:20", stream, "attempt_unknown", message_id=message_id)


def test_sent_again_by_policy_may_be_doubled(connection: psycopg.Connection) -> None:
    """No receipt within the grace: both message ids are told, and the decision is the reason."""
    day = Day(connection)
    stream = day.enqueue("09:00", "1", "doubled")
    doubt(day, "09:01", stream, "A")
    day.end("09:02", stream, "attempt_failed", **{"class": "unconfirmed"}, error="no receipt")
    day.send("09:03", stream, "09:04", "B")
    assert duplicates(connection) == [("main", "1", "A", "lost", "no receipt", "B")]
    assert duplicates(connection, "09:03") == []


def test_what_had_not_left_or_was_not_sent_again_is_no_duplicate(
    connection: psycopg.Connection,
) -> None:
    """Nor is what a receipt proved, nor what waits for an operator."""
    day = Day(connection)
    never_left, proven, given_up, held = (day.enqueue("09:00", str(n), "once") for n in range(4))
    for stream, message_id in ((never_left, None), (proven, "A"), (given_up, "B"), (held, "C")):
        doubt(day, "09:01", stream, message_id)
    day.end("09:02", never_left, "attempt_failed", **{"class": "never_left"}, error="no trace")
    day.send("09:03", never_left, "09:04", "D")
    day.end("09:02", proven, "sent", evidence="receipt")
    day.end("09:02", given_up, "attempt_failed", **{"class": "unconfirmed"}, error="no receipt")
    day.end("09:02", given_up, "exhausted")
    assert duplicates(connection) == []


def test_requeued_in_doubt_may_be_doubled(connection: psycopg.Connection) -> None:
    """Also when it had expired meanwhile; with the operator's reason, where there is one."""
    day = Day(connection)
    at_once, expired, ended = (day.enqueue("09:00", str(n), "requeued") for n in range(3))
    for stream, message_id in ((at_once, "A"), (expired, None)):
        doubt(day, "09:01", stream, message_id)
    day.requeue("09:02", at_once, "unknown", reason="asked the customer")
    day.tell("09:02", expired, "expired", {"state": "unknown"})
    day.requeue("09:03", expired, "expired")
    day.tell("09:02", ended, "cancelled")
    day.requeue("09:03", ended, "cancelled")
    for minute, stream in enumerate((at_once, expired, ended), 4):
        day.send(f"09:0{minute}", stream, f"09:0{minute}:30", f"again {minute}")
    assert duplicates(connection) == [
        ("main", "0", "A", "lost", "requeued: asked the customer", "again 4"),
        ("main", "1", None, "lost", "requeued", "again 5"),
    ]


def test_requeued_twice_in_doubt_is_told_twice(connection: psycopg.Connection) -> None:
    """Each attempt in doubt that was followed by another may have arrived."""
    day = Day(connection)
    stream = day.enqueue("09:00", "1", "tripled")
    for minute, message_id in ((1, "A"), (3, "B")):
        doubt(day, f"09:0{minute}", stream, message_id)
        day.requeue(f"09:0{minute + 1}", stream, "unknown")
    day.send("09:05", stream, "09:06", "C")
    assert [row[2::3] for row in duplicates(connection)] == [("A", "C"), ("B", "C")]


def test_latency_counts_from_when_it_was_due(connection: psycopg.Connection) -> None:
    """A scheduled one from its time, a requeued one from then, a retried one from the beginning."""
    day = Day(connection)
    scheduled = day.enqueue("06:00", "1", "later", due_at=f"{DAY} 07:00Z")
    day.send("07:00:01", scheduled, "07:00:03", "A")
    requeued = day.enqueue("06:00", "2", "again", due_at=f"{DAY} 12:00Z")
    day.tell("06:01", requeued, "cancelled")
    day.requeue("08:00", requeued, "cancelled")
    day.send("08:00:01", requeued, "08:00:05", "B")
    retried = day.enqueue("09:00", "3", "retried")
    day.start("09:00:01", retried)
    day.end(
        "09:00:02",
        retried,
        "attempt_failed",
        **{"class": "transient"},
        error="479",
        retry_at=f"{DAY} 09:01Z",
    )
    day.send("09:01", retried, "09:01:01", "C")
    day.receive("10:00:01", retried, "delivered")
    expected = [
        (7, 1, "00:00:03", 0, None),
        (8, 1, "00:00:05", 0, None),
        (9, 1, "00:01:01", 0, None),
        (10, 0, None, 1, "00:59:00"),
    ]
    assert latency(connection) == expected
    for since, until, hour in (("07:00:02", "07:59", 0), ("08:00:02", "08:59", 1)):
        assert latency(connection, since, until) == [expected[hour]]
    assert latency(connection, "09:30") == [expected[3]]


def test_an_hour_in_which_nothing_was_sent_has_no_row(connection: psycopg.Connection) -> None:
    """Nothing is made up for it, and nothing fails on an empty log."""
    assert latency(connection) == []
    Account(connection).enqueue()
    assert latency(connection) == []


def test_percentiles_are_those_of_the_hour(connection: psycopg.Connection) -> None:
    """Over all accounts, or over one."""
    for first, account, pause in ((1, "main", 1), (1_000, "other", 3)):
        day = Day(connection, account, first=first)
        for second in range(5):
            stream = day.enqueue(f"09:00:{second:02}", str(second), "hello")
            day.send(f"09:00:{second:02}", stream, f"09:00:{second + pause:02}", "A")
    row = connection.execute(
        "select sent, sent_p50::text, sent_p99::text from audit.latency('-infinity')"
    ).fetchone()
    assert row == (10, "00:00:02", "00:00:03")
    row = connection.execute(
        "select sent, sent_p50::text from audit.latency('-infinity', for_account => 'other')"
    ).fetchone()
    assert row == (5, "00:00:03")


def test_dead_letters_are_counted_by_reason(connection: psycopg.Connection) -> None:
    """By the error that ended them, the last one that they met, or why somebody withdrew them."""
    account = Account.owned(connection)
    connection.execute("update outbox.policy set max_attempts = 1")
    one, two, three, four = (account.enqueue(n) for n in range(4))
    for notification in (one, two):
        account.start(notification)
        account.record(notification, "rejected", error="not on WhatsApp")
    account.start(three)
    account.record(three, "failed", error="server returned error 479")
    connection.execute("select outbox.cancel(%s, 'wrong person')", (four,))
    rows = connection.execute(
        "select state, reason, notifications from audit.dead_letters('-infinity')"
    ).fetchall()
    assert rows == [
        ("rejected", "not on WhatsApp", 2),
        ("cancelled", "wrong person", 1),
        ("exhausted", "server returned error 479", 1),
    ]


def test_a_dead_letter_that_was_requeued_is_told_so(connection: psycopg.Connection) -> None:
    """What it met before it was requeued is no reason of its later end."""
    day = Day(connection)
    stream = day.enqueue("09:00", "1", "unlucky")
    day.start("09:01", stream)
    day.end("09:02", stream, "attempt_failed", **{"class": "transient"}, error="479")
    day.tell("09:03", stream, "expired", {"state": "pending"})
    day.requeue("09:04", stream, "expired")
    day.tell("09:05", stream, "expired", {"state": "pending"})
    day.requeue("09:06", stream, "expired")
    day.send("09:07", stream, "09:08", "A")
    assert sorted(dead_letters(connection), key=str) == [
        ("main", "expired", "479", 1, 1),
        ("main", "expired", None, 1, 1),
    ]


@pytest.mark.parametrize(
    ("error", "normalised"),
    [
        ("server returned error 479", "server returned error 479"),
        ("no acknowledgement within 60 s", "no acknowledgement within # s"),
        (
            "its number is not on WhatsApp, as was checked at 2026-03-10 09:40 UTC",
            "its number is not on WhatsApp, as was checked at #-#-# #:# UTC",
        ),
        (f"media {'0a' * 32} was erased", "media # was erased"),
        (
            "its quote refers to 019cd5a0-0000-7000-8000-00000000000a, which was not sent",
            "its quote refers to #, which was not sent",
        ),
        ("faded beef", "faded beef"),
        (None, None),
    ],
)
def test_what_makes_each_error_its_own_is_left_out(
    connection: psycopg.Connection, error: str | None, normalised: str | None
) -> None:
    """Ids, times and numbers become #; codes of three digits stay, and so do words."""
    row = connection.execute("select audit.normalised(%s)", (error,)).fetchone()
    assert row == (normalised,)


def test_accounts_are_told_apart(connection: psycopg.Connection) -> None:
    """Dead letters and duplicates are each account's own."""
    for first, account in ((1, "main"), (1_000, "other")):
        day = Day(connection, account, first=first)
        stream = day.enqueue("09:00", "1", "doubled")
        doubt(day, "09:01", stream, "A")
        day.requeue("09:02", stream, "unknown")
        day.send("09:03", stream, "09:04", "B")
        day.tell("09:05", day.enqueue("09:00", "2", "late"), "expired", {"state": "pending"})
    assert [row[0] for row in duplicates(connection)] == ["main", "other"]
    assert dead_letters(connection) == [
        ("main", "expired", None, 1, 0),
        ("other", "expired", None, 1, 0),
    ]
    for function in (b"duplicates", b"dead_letters"):
        rows = connection.execute(
            b"select account from audit." + function + b"('-infinity', for_account => 'other')"
        ).fetchall()
        assert rows == [("other",)]
