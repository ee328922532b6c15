"""audit.connection_history and audit.downtime: how connections fared within a period."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.account import Account
from tests.day import DAY, Day

pytestmark = pytest.mark.undone

States = list[tuple[Any, ...]]


def history(
    connection: psycopg.Connection, since: str, until: str = "23:59", account: str | None = None
) -> States:
    """Return the states within a part of the day, as clock times."""
    return connection.execute(
        "select account, state, to_char(began_at at time zone 'UTC', 'HH24:MI'),"
        " to_char(ended_at at time zone 'UTC', 'HH24:MI'), reason"
        " from audit.connection_history(%s, %s, %s)",
        (f"{DAY} {since}Z", f"{DAY} {until}Z", account),
    ).fetchall()


def downtime(
    connection: psycopg.Connection, since: str, until: str = "23:59", account: str | None = None
) -> States:
    """Return when connections did not stand within a part of the day, as clock times."""
    return connection.execute(
        "select account, to_char(began_at at time zone 'UTC', 'HH24:MI'),"
        " to_char(ended_at at time zone 'UTC', 'HH24:MI'), cause, reason"
        " from audit.downtime(%s, %s, %s)",
        (f"{DAY} {since}Z", f"{DAY} {until}Z", account),
    ).fetchall()


def connect(day: Day, at: str) -> None:
    """Let a worker take the account and connect it within a minute."""
    day.own(at, "worker.1")
    day.link(at, "connecting")
    day.link(at, "connected")


def lose(day: Day, at: str, reason: str) -> None:
    """Lose the connection, and schedule the next try."""
    day.link(at, "disconnected", reason=reason)
    day.link(at, "reconnect_scheduled", reconnect_at=f"{DAY} {at}Z")


def test_a_state_is_shown_from_its_true_beginning_to_its_true_end(
    connection: psycopg.Connection,
) -> None:
    """A period cuts no state: those that reach beyond it are shown as a whole."""
    day = Day(connection)
    connect(day, "10:00")
    lose(day, "11:00", "gone")
    day.link("12:00", "connecting")
    assert history(connection, "10:30", "11:30") == [
        ("main", "connected", "10:00", "11:00", None),
        ("main", "disconnected", "11:00", "11:00", "gone"),
        ("main", "waiting", "11:00", "12:00", None),
    ]


def test_the_state_that_lasts_has_no_end(connection: psycopg.Connection) -> None:
    """Its end is null, and its duration is until now."""
    Account.owned(connection).transition("connected")
    row = connection.execute(
        "select state, ended_at, duration = statement_timestamp() - began_at"
        " from audit.connection_history('-infinity') order by began_at desc limit 1"
    ).fetchone()
    assert row == ("connected", None, True)


def test_a_state_outlasts_what_does_not_change_it(connection: psycopg.Connection) -> None:
    """Leases come and go while WhatsApp has the account logged out; throttling changes nothing."""
    day = Day(connection)
    connect(day, "08:00")
    day.link("09:00", "throttled", until=f"{DAY} 09:01Z", throttles=1)
    day.link("10:00", "logged_out", reason="401")
    day.link("10:01", "lease_released", epoch=1)
    day.own("10:05", "worker.2")
    assert history(connection, "10:30") == [("main", "logged_out", "10:00", None, "401")]
    assert history(connection, "09:30", "09:40") == [("main", "connected", "08:00", "10:00", None)]


def test_each_account_has_its_own_history(connection: psycopg.Connection) -> None:
    """Accounts are told apart, and one of them can be asked for alone."""
    main, other = Day(connection), Day(connection, "other", first=1_000)
    connect(main, "08:00")
    lose(main, "09:00", "main's")
    connect(other, "08:30")
    lose(other, "10:00", "other's")
    connect(main, "11:00")
    assert [row[0] for row in history(connection, "08:45", "08:50")] == ["main", "other"]
    assert {row[0] for row in history(connection, "08:00", account="other")} == {"other"}
    assert downtime(connection, "08:00") == [
        ("main", "09:00", "11:00", "disconnected", "main's"),
        ("other", "10:00", None, "disconnected", "other's"),
    ]
    assert downtime(connection, "08:00", account="main") == [
        ("main", "09:00", "11:00", "disconnected", "main's")
    ]


def test_an_account_without_an_event_has_no_history(connection: psycopg.Connection) -> None:
    """Neither of an account to which something was enqueued, nor of one that nobody knows."""
    Account(connection).enqueue()
    assert history(connection, "00:00") == []
    assert downtime(connection, "00:00") == []
    assert history(connection, "00:00", account="nobody") == []


def test_before_the_first_connection_there_is_no_downtime(connection: psycopg.Connection) -> None:
    """What has never stood cannot be down; pairing that takes its time is no outage."""
    day = Day(connection)
    day.own("08:00", "worker.1")
    day.link("08:01", "connecting")
    day.link("08:02", "logged_out", reason="not paired")
    day.link("09:00", "pairing_offered")
    day.link("09:01", "paired")
    assert downtime(connection, "00:00") == []
    day.link("09:02", "connected")
    assert downtime(connection, "00:00") == []


def test_downtime_has_its_first_cause(connection: psycopg.Connection) -> None:
    """Whatever failed afterwards until the connection stood again belongs to the same one."""
    day = Day(connection)
    connect(day, "08:00")
    lose(day, "09:00", "keep-alive lost")
    day.link("09:01", "connecting")
    lose(day, "09:02", "dial timed out")
    day.link("09:03", "connecting")
    day.link("09:04", "logged_out", reason="401")
    day.link("09:30", "pairing_offered")
    day.link("09:31", "paired")
    day.link("09:32", "connecting")
    day.link("09:33", "connected")
    assert downtime(connection, "08:00") == [
        ("main", "09:00", "09:33", "disconnected", "keep-alive lost")
    ]


@pytest.mark.parametrize(
    "cause",
    ["disconnected", "replaced", "logged_out", "banned", "outdated", "halted", "draining"],
)
def test_whatever_ends_a_connection_begins_downtime(
    connection: psycopg.Connection, cause: str
) -> None:
    """Loss, refusal and a worker that stops are told apart by the cause."""
    day = Day(connection)
    connect(day, "08:00")
    day.link("09:00", cause, reason="why")
    day.link("09:01", "lease_released", epoch=1)
    connect(day, "09:10")
    assert downtime(connection, "08:00") == [("main", "09:00", "09:10", cause, "why")]


def test_throttling_is_no_downtime(connection: psycopg.Connection) -> None:
    """The connection stands while WhatsApp has the account send less."""
    day = Day(connection)
    connect(day, "08:00")
    day.link("09:00", "throttled", until=f"{DAY} 09:01Z", throttles=1)
    day.link("09:30", "restricted", until=f"{DAY} 23:00Z")
    assert downtime(connection, "08:00") == []


def test_downtime_that_reaches_into_a_period_is_found(connection: psycopg.Connection) -> None:
    """It began before, or lasts beyond; each is shown as a whole, and what only touches is not."""
    day = Day(connection)
    connect(day, "08:00")
    lose(day, "09:00", "first")
    connect(day, "10:00")
    lose(day, "11:00", "second")
    assert downtime(connection, "09:30", "09:40") == [
        ("main", "09:00", "10:00", "disconnected", "first")
    ]
    assert downtime(connection, "10:00", "11:00") == []
    assert downtime(connection, "09:59", "11:01") == [
        ("main", "09:00", "10:00", "disconnected", "first"),
        ("main", "11:00", None, "disconnected", "second"),
    ]


def test_downtime_that_lasts_counts_until_now(connection: psycopg.Connection) -> None:
    """Its end is null, and its duration grows."""
    account = Account.owned(connection)
    account.transition("connected")
    account.transition("disconnected", "gone")
    row = connection.execute(
        "select ended_at, duration, statement_timestamp() - began_at"
        " from audit.downtime('-infinity')"
    ).fetchone()
    assert row
    assert row[0] is None
    assert row[1] == row[2] > timedelta(0)
