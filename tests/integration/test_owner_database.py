"""An owner that loses the database in the middle of anything goes on where it was."""

import psycopg
import pytest

from outbox.log import attempts
from outbox.session.port import OutcomeType
from tests.account import Account
from tests.puppet import Puppet, blocked, driven, terminate, until


@pytest.fixture
def puppet() -> Puppet:
    """The session."""
    return Puppet()


def test_outcome_taken_while_the_database_is_lost_lets_its_recipient_go_on(
    database_url: str, connection: psycopg.Connection, puppet: Puppet
) -> None:
    """An acknowledged attempt that was not recorded yet is recorded after, and the next follows."""
    account = Account(connection)
    first, second = account.enqueue(), account.enqueue()
    puppet.answers = False
    with driven(database_url, puppet):
        attempt = puppet.until_handed(1)[0]
        with blocked(database_url, connection):
            puppet.answer(attempt, "sent")
        puppet.answers = True
        puppet.until_handed(2)
        until(lambda: account.row(second).state == "sent", "the second is sent")
    assert puppet.order == [first, second]
    assert account.story(first) == ["enqueued", "attempt_started", "sent"]


@pytest.mark.parametrize("kind", ["rejected", "failed", "not_sent", "unknown"])
def test_no_outcome_is_lost_with_the_database(
    database_url: str, connection: psycopg.Connection, puppet: Puppet, kind: str
) -> None:
    """Whatever the outcome was, its recipient goes on after it is recorded."""
    account = Account(connection)
    connection.execute("update outbox.policy set retry_after = '10 ms', grace = '10 ms'")
    first, second = account.enqueue(), account.enqueue()
    puppet.answers = False
    with driven(database_url, puppet):
        attempt = puppet.until_handed(1)[0]
        with blocked(database_url, connection):
            puppet.answer(attempt, kind)  # type: ignore[arg-type]  # the parameters are its types
        puppet.answers = True
        until(lambda: account.row(second).state == "sent", "the second is sent")
    assert puppet.order == ([first, second] if kind == "rejected" else [first, first, second])
    assert account.row(first).state == ("rejected" if kind == "rejected" else "sent")


def test_end_of_the_connection_is_not_lost_with_the_database(
    database_url: str, connection: psycopg.Connection, puppet: Puppet
) -> None:
    """A session that drops while the database is lost is connected again."""
    account = Account(connection)
    with driven(database_url, puppet):
        until(lambda: puppet.connects == 1, "it connects")
        with blocked(database_url, connection):
            puppet.turn("disconnected", "dropped")
        until(lambda: puppet.connects == 2, "it connects again")
        notification = account.enqueue()
        until(lambda: account.row(notification).state == "sent", "it sends")
    assert account.connection_story().count("disconnected") == 1


def test_beginning_of_the_connection_is_not_lost_with_the_database(
    database_url: str, connection: psycopg.Connection, puppet: Puppet
) -> None:
    """A session that has connected while the database is lost is used."""
    account = Account(connection)
    puppet.accepts = False
    with driven(database_url, puppet):
        until(lambda: puppet.connects == 1, "it is told to connect")
        with blocked(database_url, connection):
            puppet.turn("connected")
        notification = account.enqueue()
        until(lambda: account.row(notification).state == "sent", "it sends")
    assert puppet.connects == 1
    assert account.connection_story().count("connected") == 1


def test_owner_finds_the_database_again(
    database_url: str, connection: psycopg.Connection, puppet: Puppet
) -> None:
    """A connection that is cut while nothing happens costs nothing but a moment."""
    account = Account(connection)
    with driven(database_url, puppet):
        until(lambda: puppet.connects == 1, "it connects")
        assert terminate(connection, "outbox owner") == 1
        notification = account.enqueue()
        until(lambda: account.row(notification).state == "sent", "it sends")
    assert puppet.connects == 1
    assert account.connection_story().count("lease_acquired") == 1


def test_owner_stops_although_the_database_is_gone(
    database_url: str, server_url: str, puppet: Puppet
) -> None:
    """SIGTERM ends an owner within its time to drain, whatever the database does."""
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    with psycopg.connect(server_url, autocommit=True) as connection:
        with driven(database_url, puppet, drain_seconds=0.3) as owner:
            until(lambda: puppet.connects == 1, "it connects")
            connection.execute(f'alter database "{name}" allow_connections false')
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
            )
            owner.stop(3)
        assert puppet.closed == 1


def test_error_that_nobody_foresaw_leaves_no_recipient_behind(
    database_url: str,
    connection: psycopg.Connection,
    puppet: Puppet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a pass that failed all is as if the worker had been killed, and so nothing is lost."""
    account = Account(connection)
    exchange, broken = attempts.exchange, [True]

    def failing(*given: object, **named: object) -> object:
        if broken and given[4]:
            broken.clear()
            raise ValueError("a bug")
        return exchange(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(attempts, "exchange", failing)
    notification = account.enqueue()
    with driven(database_url, puppet, lease_seconds=0.5) as owner:
        until(lambda: account.row(notification).state == "sent", "it is sent all the same")
    assert not broken
    assert not owner.errors


def test_attempt_started_by_a_call_whose_answer_was_lost_is_made_again(
    database_url: str,
    connection: psycopg.Connection,
    puppet: Puppet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The session has never seen it: it costs nothing, keeps its place, and doubles nothing."""
    account = Account(connection)
    exchange, lost = attempts.exchange, [True]

    def answering(*given: object, **named: object) -> object:
        answer = exchange(*given, **named)  # type: ignore[arg-type]
        if lost and given[4]:
            lost.clear()
            raise psycopg.OperationalError("the answer is lost")
        return answer

    monkeypatch.setattr(attempts, "exchange", answering)
    first, second = account.enqueue(), account.enqueue()
    with driven(database_url, puppet):
        until(lambda: account.row(second).state == "sent", "both are sent")
    assert puppet.order == [first, second]
    assert account.story(first)[1:] == [
        "attempt_started",
        "attempt_failed",
        "attempt_started",
        "sent",
    ]
    assert account.row(first).failures == 0


@pytest.mark.parametrize("kind", ["sent", "failed", "not_sent", "unknown"])
def test_outcome_recorded_by_a_call_whose_answer_was_lost_is_recorded_once(
    database_url: str,
    connection: psycopg.Connection,
    puppet: Puppet,
    monkeypatch: pytest.MonkeyPatch,
    kind: OutcomeType,
) -> None:
    """It is told again, and the log leaves it as it is."""
    account = Account(connection)
    connection.execute("update outbox.policy set retry_after = '10 ms', grace = '10 ms'")
    exchange, lost = attempts.exchange, [True]

    def answering(*given: object, **named: object) -> object:
        answer = exchange(*given, **named)  # type: ignore[arg-type]
        if lost and given[3]:
            lost.clear()
            raise psycopg.OperationalError("the answer is lost")
        return answer

    monkeypatch.setattr(attempts, "exchange", answering)
    first, second = account.enqueue(), account.enqueue()
    puppet.answers = False
    with driven(database_url, puppet):
        attempt = puppet.until_handed(1)[0]
        puppet.answers = True
        puppet.answer(attempt, kind)
        until(lambda: account.row(second).state == "sent", "both are sent")
    assert not lost
    assert puppet.order == ([first, second] if kind == "sent" else [first, first, second])
    story = account.story(first)
    assert story.count("attempt_failed") == (0 if kind == "sent" else 1)
    assert story.count("attempt_unknown") == (1 if kind == "unknown" else 0)
