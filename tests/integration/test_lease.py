"""Leases: one owner an account, by the database's clock, fenced by an epoch."""

import threading
import time
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from outbox.errors import StaleEpoch
from outbox.log import lease
from tests.account import Account

pytestmark = pytest.mark.undone


def lapse(connection: psycopg.Connection, name: str = "main") -> None:
    """Let an account's lease run out, as time would."""
    connection.execute(
        "update outbox.lease set until = statement_timestamp() - interval '1 second'"
        " where account = %s",
        (name,),
    )


def test_an_account_has_one_owner(connection: psycopg.Connection) -> None:
    """Who comes second gets nothing until the first has released, and then a new epoch."""
    first, second = Account(connection), Account(connection)
    assert first.acquire()
    assert not second.acquire()
    assert first.renew()
    first.release()
    assert second.acquire()
    assert second.epoch == first.epoch + 1
    assert first.connection_story() == ["lease_acquired", "lease_released", "lease_acquired"]
    assert second.standing()[:3] == ("owned", 3, second.epoch)


def test_of_two_who_take_a_lease_at_once_one_has_it(
    connection: psycopg.Connection, database_url: str
) -> None:
    """The second waits for the first's commit and is then told that the account is owned."""
    Account.owned(connection).release()
    with psycopg.connect(database_url) as one, psycopg.connect(database_url) as two:
        first, second = Account(one), Account(two)
        assert first.acquire()
        two.execute("set lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            second.acquire()
        two.rollback()
        one.commit()
        assert not second.acquire()


def test_accounts_are_owned_apart(connection: psycopg.Connection) -> None:
    """An owner of one account is nobody in another."""
    main, other = Account.owned(connection), Account.owned(connection, "other")
    notification = other.enqueue()
    assert main.start(notification) == []
    main.release()
    assert other.renew()
    assert other.start(notification) == [notification]


def test_the_log_says_who_owned(connection: psycopg.Connection) -> None:
    """Taking a lease is an event with the owner, its epoch and what the worker says of itself."""
    owner = uuid4()
    connection.execute(
        "select outbox.acquire_lease('main', %s, '1 minute', %s)", (owner, '{"dyno": "worker.1"}')
    )
    row = connection.execute("select data, metadata from outbox.event").fetchone()
    assert row == ({"epoch": 1, "owner": str(owner)}, {"dyno": "worker.1"})


def test_renewing_is_no_fact(connection: psycopg.Connection) -> None:
    """A heartbeat moves the lease's end and leaves no event."""
    account = Account.owned(connection)
    lapse(connection)
    assert account.renew(3600)
    row = connection.execute(
        "select until > statement_timestamp() + interval '59 minutes' from outbox.lease"
    ).fetchone()
    assert row == (True,)
    assert account.connection_story() == ["lease_acquired"]
    account.release()
    assert not account.renew()


def test_a_lapsed_lease_is_rescued(connection: psycopg.Connection) -> None:
    """Its owner is fenced, the log says lease_lost, and what was being sent is unknown."""
    account = Account.owned(connection)
    sending, pending = account.enqueue(1), account.enqueue(2)
    account.start(sending)
    assert lease.rescue(connection) == []
    lapse(connection)
    assert lease.rescue(connection) == ["main"]
    assert lease.rescue(connection) == []
    assert account.row(sending) == (
        "unknown",
        3,
        1,
        0,
        None,
        "the worker that was sending it lost its lease",
    )
    assert account.row(pending).state == "pending"
    assert account.connection_story() == ["lease_acquired", "lease_lost"]
    assert account.standing()[:3] == ("free", 2, account.epoch + 1)
    assert not account.renew()
    with pytest.raises(StaleEpoch):
        account.record(sending, "sent", "A")
    assert account.acquire()
    assert account.epoch == 3


def test_the_databases_clock_decides(connection: psycopg.Connection) -> None:
    """A lease ends when the database says so, and whoever asks for it then gets it."""
    first, second = Account(connection), Account(connection)
    assert first.acquire(seconds=0.01)
    while not second.acquire():
        time.sleep(0.01)
    assert second.epoch == first.epoch + 2
    assert first.connection_story() == ["lease_acquired", "lease_lost", "lease_acquired"]


def test_every_lapsed_lease_is_rescued_at_once(connection: psycopg.Connection) -> None:
    """Rescue looks after all accounts, whoever is asking."""
    names = ["main", "other", "third"]
    for name in names:
        account = Account.owned(connection, name)
        account.start(account.enqueue(), account.enqueue(2))
        lapse(connection, name)
    assert Account(connection, "fourth").acquire()
    rows = connection.execute(
        "select account, count(*) from outbox.notification where state = 'unknown' group by 1"
    )
    assert sorted(rows) == [(name, 2) for name in names]
    rows = connection.execute("select account from outbox.event where type = 'lease_lost'")
    assert sorted(name for (name,) in rows) == names


def test_releasing_leaves_nothing_in_flight(connection: psycopg.Connection) -> None:
    """What nobody is left to record an outcome of has an unknown one."""
    account = Account.owned(connection)
    sending, pending = account.enqueue(1), account.enqueue(2)
    account.start(sending)
    account.release()
    assert account.row(sending)[0::5] == (
        "unknown",
        "the worker stopped before its outcome was known",
    )
    assert account.row(pending).state == "pending"
    assert connection.execute("select owner, wake from outbox.lease").fetchone() == (None, False)


def test_a_parked_owner_is_told_and_no_other(
    connection: psycopg.Connection, database_url: str
) -> None:
    """Enqueueing and requeueing notify the owner that parked, and no other."""
    account = Account.owned(connection)
    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute("listen outbox")

        def heard() -> list[str]:
            return [notify.payload for notify in listener.notifies(timeout=0.05)]

        first = account.enqueue()
        assert heard() == []
        lease.park(connection, "main", account.epoch, wake=True)
        second = account.enqueue()
        Account(connection, "other").enqueue()
        assert heard() == ["main"]
        account.cancel(second)
        account.requeue(second)
        assert heard() == ["main"]
        lease.park(connection, "main", account.epoch, wake=False)
        account.enqueue()
        account.cancel(first)
        assert heard() == []
        lease.park(connection, "main", account.epoch, wake=True)
        account.release()
        account.enqueue()
        assert heard() == []


@pytest.mark.parametrize("state", ["logged_out", "banned", "disconnected", None])
def test_owner_that_has_no_connection_is_taken_over_from(
    connection: psycopg.Connection, state: str | None
) -> None:
    """For pairing: it is fenced as if its lease had lapsed, and gets the account back later."""
    first, second = Account.owned(connection), Account(connection)
    sending = first.enqueue()
    first.start(sending)
    if state is not None:
        first.transition(state)
    assert not second.acquire()
    assert second.acquire(pairing=True)
    assert second.epoch == first.epoch + 2
    story = [one for one in first.connection_story() if one.startswith("lease")]
    assert story == ["lease_acquired", "lease_lost", "lease_acquired"]
    assert first.row(sending).state == "unknown"
    assert not first.renew()
    with pytest.raises(StaleEpoch):
        first.transition("connecting")
    assert not first.acquire()
    second.release()
    assert first.acquire()


@pytest.mark.parametrize("state", ["connecting", "connected", "draining"])
def test_owner_that_has_a_connection_is_not_taken_over_from(
    connection: psycopg.Connection, state: str
) -> None:
    """Nor is one that builds it, or ends it; another account's connection does not matter."""
    first, second = Account.owned(connection), Account(connection)
    first.transition(state)
    assert not second.acquire(pairing=True)
    assert first.renew()
    assert first.connection_story() == ["lease_acquired", state]
    assert Account.owned(connection, "other").acquire(pairing=True)


@pytest.mark.parametrize("state", ["logged_out", "pairing_offered", "paired"])
def test_who_pairs_is_not_taken_over_from(connection: psycopg.Connection, state: str) -> None:
    """Neither before the first code nor later, also not by another who pairs; it lapses as ever."""
    worker, first, second = Account.owned(connection), Account(connection), Account(connection)
    worker.transition("logged_out")
    assert not lease.is_pairing(connection, "main")
    assert first.acquire(pairing=True)
    if state != "logged_out":
        first.transition(state)
    assert lease.is_pairing(connection, "main")
    assert not second.acquire(pairing=True)
    assert not worker.acquire()
    assert first.renew(0)
    assert second.acquire(pairing=True)
    second.release()
    assert not lease.is_pairing(connection, "main")
    assert worker.acquire()
    assert not lease.is_pairing(connection, "main")


def test_who_unpairs_may_want_a_connected_account(connection: psycopg.Connection) -> None:
    """Its owner keeps it until it gives it back; then nobody takes it but who wants it."""
    first, second, third = Account.owned(connection), Account(connection), Account(connection)
    first.transition("connected")
    assert not lease.is_wanted(connection, "main")
    lease.want(connection, "main", timedelta(minutes=1))
    assert lease.is_wanted(connection, "main")
    assert not second.acquire(pairing=True)
    assert first.renew()
    first.release()
    assert not third.acquire()
    assert second.acquire(pairing=True)
    assert not lease.is_wanted(connection, "main")
    second.release()
    assert third.acquire()
    lease.want(connection, "main", timedelta(0))
    third.release()
    assert first.acquire()


def test_free_account_is_taken_as_ever(connection: psycopg.Connection) -> None:
    """Nobody is fenced for it."""
    account = Account(connection)
    assert account.acquire(pairing=True)
    assert account.connection_story() == ["lease_acquired"]


def test_owner_that_connects_at_that_moment_keeps_its_lease(
    connection: psycopg.Connection, database_url: str
) -> None:
    """Who takes over waits for what the owner is recording, and sees it."""
    first = Account.owned(connection)
    with psycopg.connect(database_url) as one, psycopg.connect(database_url) as two:
        recording, second = Account(one), Account(two)
        recording.epoch = first.epoch
        recording.transition("connecting")
        found: list[bool] = []
        taking = threading.Thread(target=lambda: found.append(second.acquire(pairing=True)))
        taking.start()
        taking.join(0.2)
        assert taking.is_alive()
        one.commit()
        taking.join(10)
        assert found == [False]
    assert first.renew()
