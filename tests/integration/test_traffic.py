"""What charts show: traffic by steps of time, and the history of connections."""

from datetime import timedelta

import psycopg

from outbox.log.history import connection_history
from outbox.log.pool import open_pool
from outbox.log.traffic import traffic
from outbox.web.dashboard.charts import Charts
from tests.cli_runner import Session, enqueue

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def test_the_latest_steps_count_what_happened(connection: psycopg.Connection) -> None:
    """Every event in its step; the steps without any are there as well, and the last one is now."""
    ids = [enqueue(connection, f"+4477009001{number:02}") for number in range(4)]
    session = Session(connection)
    session.end("sent", ids[0])
    session.end("failed", ids[1], error="error 503")
    session.end("rejected", ids[2], error="error 479")
    connection.execute("select outbox.cancel(%s)", (ids[3],))
    steps = traffic(connection, HOUR, 24)
    assert len(steps) == 24
    assert [one.at - other.at for one, other in zip(steps[1:], steps, strict=False)] == [HOUR] * 23
    # The hour may have turned in the middle of the test.
    recent = steps[-2:]
    assert sum(one.enqueued for one in recent) == 4
    assert sum(one.sent for one in recent) == 1
    assert sum(one.failed for one in recent) == 1
    assert sum(one.dead for one in recent) == 1
    assert sum(one.enqueued + one.sent + one.failed + one.dead for one in steps[:-2]) == 0
    assert steps[-1].open == 1
    assert steps[0].open == 0
    waited = [one.half_within for one in recent if one.half_within is not None]
    assert len(waited) == 1
    assert waited[0] > 0


def test_what_was_open_is_told_from_what_came_since(connection: psycopg.Connection) -> None:
    """The queue of an earlier step is that of now, less what has come and with what has gone."""
    for number in range(3):
        enqueue(connection, f"+4477009001{number:02}")
    before, now = traffic(connection, timedelta(seconds=1), 120)[0], traffic(connection, HOUR, 1)[0]
    assert (before.open, now.open) == (0, 3)
    session = Session(connection)
    other = enqueue(connection, "+447700900155")
    session.end("rejected", other, error="error 479")
    connection.execute("select outbox.requeue(%s)", (other,))
    assert traffic(connection, HOUR, 1)[0].open == 4
    assert traffic(connection, timedelta(seconds=1), 300)[0].open == 0


def test_traffic_is_an_accounts_if_one_is_named(connection: psycopg.Connection) -> None:
    """Others' events and queues do not count."""
    enqueue(connection, account="first")
    enqueue(connection, account="second")
    assert traffic(connection, HOUR, 2, "first")[-1].open == 1
    assert traffic(connection, HOUR, 2)[-1].open == 2


def test_a_connections_states_follow_each_other(connection: psycopg.Connection) -> None:
    """Each begins where the one before ends, and the last one lasts; each has its reason."""
    session = Session(connection)
    session.transition("connected")
    session.transition("disconnected", "the network")
    session.transition("logged_out", "by the phone")
    history = connection_history(connection, HOUR)
    states = [one.state for one in history]
    assert states[0] == "owned"
    assert states[-1] == "logged_out"
    assert "connected" in states
    reasons = {one.state: one.reason for one in history}
    assert reasons["logged_out"] == "by the phone"
    assert [one.ended for one in history[:-1]] == [one.began for one in history[1:]]
    assert {one.account for one in history} == {"main"}


def test_the_history_agrees_with_the_projection(connection: psycopg.Connection) -> None:
    """Of who is logged out, neither a lease nor its end changes the state."""
    session = Session(connection)
    session.transition("connected")
    session.transition("logged_out", "by the phone")
    connection.execute("select outbox.release_lease('main', %s)", (session.epoch,))
    row = connection.execute("select state from outbox.connection").fetchone()
    assert row == ("logged_out",)
    assert connection_history(connection, HOUR)[-1].state == "logged_out"


def test_a_state_that_began_earlier_is_cut(connection: psycopg.Connection) -> None:
    """Of a long state the part within the period is told; what ended before it is left out."""
    session = Session(connection)
    session.transition("connected")
    connection.execute("select pg_sleep(0.3)")
    (only,) = connection_history(connection, timedelta(milliseconds=100))
    assert only.state == "connected"
    assert only.ended - only.began == timedelta(milliseconds=100)


def test_the_events_of_a_period_are_found_by_their_time(connection: psycopg.Connection) -> None:
    """Ranges of the log that are older are not read."""
    connection.execute("set enable_seqscan = off")
    plan = "\n".join(
        row[0]
        for row in connection.execute(
            "explain select * from outbox.event"
            " where recorded_at >= statement_timestamp() - interval '1 hour'"
        )
    )
    assert "_position_recorded_at_idx" in plan


def test_a_week_is_read_once_for_all_who_look(
    database_url: str, connection: psycopg.Connection
) -> None:
    """It costs seconds beside a long log; another period is read by itself."""
    charts = Charts()
    with open_pool(database_url, "charts test") as pool:
        week = charts.steps(pool, "week")
        enqueue(connection)
        assert charts.steps(pool, "week") is week
        assert charts.steps(pool, "hour")[-1].open == 1
