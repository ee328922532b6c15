"""How an owner that rests hears of news: nothing is missed, whatever the order of commits."""

import json
import time
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
import structlog

from outbox.log.listen import Listener
from tests.account import HELLO, Account
from tests.puppet import Puppet, driven, until


@pytest.fixture
def account(connection: psycopg.Connection) -> Account:
    """The account."""
    return Account(connection)


def _is_parked(account: Account) -> bool:
    row = account.connection.execute("select wake from outbox.lease").fetchone()
    return bool(row and row[0])


def _enqueue(connection: psycopg.Connection) -> UUID:
    row = connection.execute(
        "select outbox.enqueue('+447700900123', %s)", (json.dumps(HELLO),)
    ).fetchone()
    assert row
    return UUID(str(row[0]))


def _seconds_until_sent(account: Account, notification: UUID) -> float:
    began = time.monotonic()
    until(lambda: account.row(notification).state == "sent", "it is sent")
    return time.monotonic() - began


@pytest.mark.parametrize("isolation", psycopg.IsolationLevel)
def test_caller_that_has_not_seen_the_owner_park_is_heard_all_the_same(
    database_url: str, account: Account, isolation: psycopg.IsolationLevel
) -> None:
    """It enqueued while the owner was awake, so it told nobody, and commits when it has parked."""
    with psycopg.connect(database_url) as caller, driven(database_url, Puppet()):
        caller.isolation_level = isolation
        until(account.connection_story, "the account is owned")
        notification = _enqueue(caller)
        until(lambda: _is_parked(account), "the owner has parked")
        caller.commit()
        assert _seconds_until_sent(account, notification) < 2


@pytest.mark.parametrize("isolation", psycopg.IsolationLevel)
def test_caller_that_began_before_the_owner_parked_tells_it(
    database_url: str, account: Account, isolation: psycopg.IsolationLevel
) -> None:
    """Also when its only snapshot is older than the owner's wish to be told."""
    with psycopg.connect(database_url) as caller, driven(database_url, Puppet()):
        caller.isolation_level = isolation
        until(account.connection_story, "the account is owned")
        caller.execute("select 1 from outbox.lease").fetchone()
        until(lambda: _is_parked(account), "the owner has parked")
        notification = _enqueue(caller)
        caller.commit()
        assert _seconds_until_sent(account, notification) < 1


def test_parked_owner_is_told_at_once(database_url: str, account: Account) -> None:
    """A notification after a quiet time goes out within a moment."""
    with driven(database_url, Puppet()):
        for _ in range(5):
            until(lambda: _is_parked(account), "the owner has parked")
            assert _seconds_until_sent(account, account.enqueue()) < 0.5


@pytest.mark.parametrize(
    "mend",
    [
        Account.requeue,
        lambda account, _: account.connection.execute("select outbox.resume('main')"),
    ],
)
def test_operator_is_heard_at_once(
    database_url: str, account: Account, mend: Callable[[Account, UUID], object]
) -> None:
    """Requeueing and resuming wake a parked owner as a caller does."""
    account.connection.execute("update outbox.policy set retry_after = '0'")
    notification = account.enqueue(max_attempts=1)
    puppet = Puppet()
    puppet.answers = False
    with driven(database_url, puppet):
        attempt = puppet.until_handed(1)[0]
        if mend is Account.requeue:
            puppet.answer(attempt, "failed", "no")
        else:
            puppet.answer(attempt, "not_sent")
            puppet.turn("banned", "402: temporarily banned", 3600)
        until(lambda: _is_parked(account), "the owner has parked")
        puppet.answers = True
        mend(account, notification)
        assert _seconds_until_sent(account, notification) < 1


def test_lost_listen_costs_latency_only(
    database_url: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deaf, the owner finds by its poll what it was told of."""
    monkeypatch.setattr(Listener, "heard", lambda _: False)
    monkeypatch.setattr(Listener, "__init__", _deaf)
    with driven(database_url, Puppet(), poll_seconds=0.5):
        for _ in range(3):
            until(lambda: _is_parked(account), "the owner has parked")
            assert _seconds_until_sent(account, account.enqueue()) < 1.5


def _deaf(listener: Listener, connection: psycopg.Connection, account: str) -> None:
    listener._connection = connection
    listener._account = account
    listener._token, listener._hears = "", True


def test_listener_notices_that_it_is_deaf(connection: psycopg.Connection) -> None:
    """It is asked at each poll to hear itself, since a connection may live and hear nothing."""
    listener = Listener(connection, "main")
    assert listener.check()
    assert not listener.heard()  # its own voice is no news of the account
    assert listener.check()
    assert not listener.heard()
    connection.execute("unlisten *")
    assert listener.check()
    assert not listener.heard()
    assert not listener.check()


def test_owner_says_that_it_is_deaf(
    database_url: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where LISTEN does not get through, the log says what to set."""
    monkeypatch.setattr(Listener, "__init__", _deaf)
    with structlog.testing.capture_logs() as logs, driven(database_url, Puppet(), poll_seconds=0.2):
        until(lambda: any("OUTBOX_LISTEN_URL" in log["event"] for log in logs), "it is said")


def test_owner_behind_a_pooler_needs_no_listen(database_url: str, account: Account) -> None:
    """It polls, or listens past the pooler where it is told how."""
    with driven(database_url, Puppet(), pooled=True, poll_seconds=0.5):
        until(account.connection_story, "the account is owned")
        assert _seconds_until_sent(account, account.enqueue()) < 1.5
    with driven(database_url, Puppet(), pooled=True, listen_url=database_url):
        until(lambda: account.connection_story().count("connected") == 2, "it is owned again")
        until(lambda: _is_parked(account), "the owner has parked")
        assert _seconds_until_sent(account, account.enqueue()) < 0.5


def test_busy_account_is_not_told_of_each(database_url: str, account: Account) -> None:
    """NOTIFY takes a lock of the whole server at commit: an owner that is awake takes it back."""
    puppet = Puppet()
    with driven(database_url, puppet), psycopg.connect(database_url, autocommit=True) as heard:
        until(lambda: _is_parked(account), "the owner has parked")
        heard.execute("listen outbox")
        for number in range(600):
            account.enqueue(number)
        puppet.until_handed(600)
        told = len(list(heard.notifies(timeout=0.2)))
        until(lambda: _is_parked(account), "the owner has parked again")
    assert 0 < told < 300


def test_quiet_owner_asks_nothing_of_the_database(database_url: str, account: Account) -> None:
    """Parked, with nothing unsettled, it runs no statement at all."""
    with driven(database_url, Puppet()):
        until(lambda: _is_parked(account), "the owner has parked")
        time.sleep(0.3)
        query = (
            "select query_start from pg_stat_activity where application_name = 'outbox owner main'"
        )
        before = account.connection.execute(query).fetchone()
        time.sleep(1)
        assert account.connection.execute(query).fetchone() == before
