"""The connection of an account as its owner keeps it: what it does after each kind of end."""

import time

import psycopg
import pytest

from tests.account import Account
from tests.puppet import Puppet, driven, until


@pytest.fixture
def account(connection: psycopg.Connection) -> Account:
    """The account."""
    return Account(connection)


@pytest.fixture
def puppet() -> Puppet:
    """The session."""
    return Puppet()


def _is_sent(account: Account) -> None:
    notification = account.enqueue()
    until(lambda: account.row(notification).state == "sent", "it is sent")


def test_no_attempt_is_made_without_a_connection(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """A missing connection costs no attempt, and the queue is kept."""
    puppet.accepts = False
    notification = account.enqueue()
    with driven(database_url, puppet):
        until(lambda: puppet.connects == 1, "it is told to connect")
        time.sleep(0.3)
        assert account.row(notification).attempts == 0
        puppet.turn("connected")
        until(lambda: account.row(notification).state == "sent", "it is sent")
    assert account.row(notification).attempts == 1


def test_lost_connection_is_built_again_after_a_pause(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """The first failure costs a second or little more; what was not sent costs no attempt."""
    puppet.answers = False
    notification = account.enqueue()
    with driven(database_url, puppet):
        attempt = puppet.until_handed(1)[0]
        puppet.answers = True
        puppet.answer(attempt, "not_sent")
        puppet.turn("disconnected", "stream:error 515")
        lost = time.monotonic()
        until(lambda: puppet.connects == 2, "it connects again")
        assert 0.9 < time.monotonic() - lost < 2
        until(lambda: account.row(notification).state == "sent", "it is sent")
    assert (account.row(notification).attempts, account.row(notification).failures) == (2, 0)


def test_pause_survives_the_owner(database_url: str, account: Account, puppet: Puppet) -> None:
    """How often it failed in a row, and when it may try again, is in the log, not in a process."""
    account.acquire()
    for _ in range(5):
        account.transition("disconnected", "503")
    account.release()
    with driven(database_url, puppet):
        until(lambda: account.connection_story()[-1] == "lease_acquired", "it is owned")
        time.sleep(0.5)
        assert puppet.connects == 0
        account.connection.execute("select outbox.resume('main')")
        until(lambda: puppet.connects == 1, "an operator may shorten it")


def test_replaced_session_takes_the_lease_anew(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """Once: with a new epoch, so that whoever was owner is fenced."""
    with driven(database_url, puppet) as one:
        _is_sent(account)
        puppet.turn("replaced", "stream replaced")
        until(lambda: puppet.connects == 2, "it connects once more")
        _is_sent(account)
        assert puppet.closed == 1
        assert puppet.connects == 2
        assert account.standing().epoch == 2
        one.stop()
    story = account.connection_story()
    assert story[3:6] == ["replaced", "lease_released", "lease_acquired"]


def test_session_that_is_replaced_twice_is_halted_until_an_operator_resumes_it(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """Two clients that fight get the account banned."""
    with driven(database_url, puppet):
        _is_sent(account)
        puppet.turn("replaced")
        until(lambda: puppet.connects == 2, "it connects once more")
        _is_sent(account)
        puppet.turn("replaced")
        until(lambda: account.standing().state == "halted", "it is halted")
        notification = account.enqueue()
        time.sleep(0.5)
        assert puppet.connects == 2
        assert account.row(notification).state == "pending"
        account.connection.execute("select outbox.resume('main')")
        until(lambda: account.row(notification).state == "sent", "it is sent")
    assert puppet.connects == 3


@pytest.mark.parametrize("kind", ["logged_out", "outdated", "banned"])
def test_connection_that_only_an_operator_mends_is_not_built_again(
    database_url: str, account: Account, puppet: Puppet, kind: str
) -> None:
    """The queue is kept, also over a restart of the worker; resumed it goes on."""
    with driven(database_url, puppet):
        _is_sent(account)
        puppet.turn(kind, "401: logged out")  # type: ignore[arg-type]  # the parameters are its
        until(lambda: account.standing().state == kind, "it is noted")
        notification = account.enqueue()
        time.sleep(0.3)
    with driven(database_url, puppet):
        until(lambda: account.standing().epoch == 2, "another worker owns it")
        time.sleep(0.3)
        assert puppet.connects == 1
        assert account.standing().state == kind
        account.connection.execute("select outbox.resume('main')")
        until(lambda: account.row(notification).state == "sent", "it is sent")


def test_temporary_ban_is_waited_for(database_url: str, account: Account, puppet: Puppet) -> None:
    """It is tried once when the ban has ended."""
    with driven(database_url, puppet):
        _is_sent(account)
        puppet.turn("banned", "402: temporarily banned", 0.8)
        banned = time.monotonic()
        until(lambda: puppet.connects == 2, "it connects again")
        assert 0.7 < time.monotonic() - banned < 1.5
        _is_sent(account)


def test_pass_that_hangs_loses_its_lease(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """Renewal stops when the owner has not been seen for longer than it ever rests."""
    puppet.hang.clear()
    account.enqueue()
    with (
        driven(database_url, puppet, poll_seconds=0.2, lease_seconds=0.5) as one,
        psycopg.connect(database_url, autocommit=True) as jobs,
    ):
        until(lambda: account.connection_story()[-1:] == ["connected"], "it owns the account")

        def is_lost() -> bool:
            one.owner.renew(jobs)
            time.sleep(0.05)
            account.connection.execute("select from outbox.rescue_leases()")
            return account.connection_story()[-1] == "lease_lost"

        until(is_lost, "the lease has lapsed")
        puppet.hang.set()
        until(lambda: account.standing().epoch == 3, "it takes the lease anew")
        until(lambda: puppet.closed == 1, "its session was closed")
        _is_sent(account)


def test_owner_that_rests_keeps_its_lease(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """However quiet its account is."""
    with (
        driven(database_url, puppet, poll_seconds=0.3, lease_seconds=0.3) as one,
        psycopg.connect(database_url, autocommit=True) as jobs,
    ):
        until(lambda: account.connection_story()[-1:] == ["connected"], "it owns the account")
        for _ in range(40):
            one.owner.renew(jobs)
            assert not account.connection.execute("select outbox.rescue_leases()").fetchall()
            time.sleep(0.05)


def test_fenced_owner_writes_nothing_more(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """What it was sending is the next owner's, outcomes of it that come late are refused."""
    puppet.answers = False
    notification = account.enqueue()
    with driven(database_url, puppet):
        attempt = puppet.until_handed(1)[0]
        account.connection.execute("update outbox.lease set until = statement_timestamp()")
        assert account.acquire()
        puppet.answer(attempt, "sent")
        until(lambda: puppet.closed == 1, "it gives up")
        assert account.row(notification).state == "unknown"
        account.record(notification, "never_left")
        puppet.answers = True
        account.release()
        until(lambda: account.row(notification).state == "sent", "it is its turn again")
    assert [a.number for a in puppet.handed] == [1, 2]


def test_stop_waits_for_outcomes_as_long_as_it_may(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """What has none by then is unknown, and for the next owner to settle."""
    puppet.answers = False
    first, second = account.enqueue(1), account.enqueue(2)
    waiting = account.enqueue(1)
    with driven(database_url, puppet, drain_seconds=0.6) as one:
        attempts = puppet.until_handed(2)
        one.owner.stop()
        until(lambda: account.connection_story()[-1] == "draining", "it drains")
        puppet.answer(next(a for a in attempts if a.notification == first), "sent")
        until(lambda: account.row(first).state == "sent", "one has its outcome")
        until(lambda: one.has_stopped, "it has stopped")
    assert account.row(second).state == "unknown"
    assert account.row(waiting).attempts == 0
    assert account.connection_story()[-1] == "lease_released"
    assert account.acquire()


def test_stopped_at_once_it_leaves_nothing_behind(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """Before it owns the account, too."""
    account.acquire()
    with driven(database_url, puppet) as one:
        one.stop(2)
    assert puppet.connects == 0
    assert account.renew()
    account.release()
    with driven(database_url, puppet) as one:
        one.stop(2)
    assert account.acquire()


def test_owners_of_different_accounts_do_not_meet(
    database_url: str, connection: psycopg.Connection
) -> None:
    """Each delivers its own, and stops alone."""
    one, two = Account(connection, "one"), Account(connection, "two")
    puppets = Puppet(), Puppet()
    ids = [account.enqueue() for account in (one, two)]
    with driven(database_url, puppets[0], "one") as first, driven(database_url, puppets[1], "two"):
        for account, id_ in zip((one, two), ids, strict=True):
            until(lambda: account.row(id_).state == "sent", "each is sent")  # noqa: B023
        first.stop()
        later = two.enqueue()
        until(lambda: two.row(later).state == "sent", "the other goes on")
    assert [p.order for p in puppets] == [[ids[0]], [ids[1], later]]


def test_lease_is_waited_for(database_url: str, account: Account, puppet: Puppet) -> None:
    """A second owner of an account does nothing until the first is gone."""
    account.acquire(0.7)
    notification = account.enqueue()
    with driven(database_url, puppet):
        time.sleep(0.4)
        assert account.row(notification).state == "pending"
        until(lambda: account.row(notification).state == "sent", "it has its turn", 2)


def test_temporary_ban_outlasts_the_worker(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """Stopping and starting a worker is no way around it."""
    with driven(database_url, puppet):
        _is_sent(account)
        puppet.turn("banned", "402: temporarily banned", 1.5)
        until(lambda: account.standing().seconds, "it is noted")
    with driven(database_url, puppet):
        until(lambda: account.standing().epoch == 2, "another worker owns it")
        time.sleep(0.3)
        assert puppet.connects == 1
        _is_sent(account)
    assert puppet.connects == 2


def test_what_nobody_understands_is_tried_once_more(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """Not soon; and when that ends in the same way, an operator has to say so."""
    with driven(database_url, puppet):
        _is_sent(account)
        puppet.turn("halted", "failure 418")
        until(lambda: account.standing().state == "waiting", "another try is scheduled")
        time.sleep(0.3)
        assert puppet.connects == 1
        puppet.accepts = False
        account.connection.execute("update outbox.connection set reconnect_at = now()")
        account.connection.execute("select pg_notify('outbox', 'main')")
        until(lambda: puppet.connects == 2, "it is tried")
        puppet.turn("halted", "failure 418")
        until(lambda: account.standing().state == "halted", "it stays halted")
        puppet.accepts = True
        notification = account.enqueue()
        account.connection.execute("select outbox.resume('main')")
        until(lambda: account.row(notification).state == "sent", "an operator resumes it")


def test_owner_that_was_taken_over_from_has_the_account_back_when_it_is_paired(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """And connects at once: who pairs holds the lease meanwhile."""
    with (
        driven(database_url, puppet) as one,
        psycopg.connect(database_url, autocommit=True) as jobs,
    ):
        _is_sent(account)
        assert not account.acquire(pairing=True)
        puppet.turn("logged_out", "401: logged out")
        until(lambda: account.standing().state == "logged_out", "it is noted")
        notification = account.enqueue()
        assert account.acquire(pairing=True)
        one.owner.renew(jobs)
        until(lambda: puppet.closed == 1, "it gives up")
        account.transition("pairing_offered")
        time.sleep(0.3)
        assert puppet.connects == 1
        account.transition("paired")
        account.release()
        until(lambda: account.row(notification).state == "sent", "it is sent")
        assert puppet.connects == 2
        assert account.standing().epoch == account.epoch + 1


def test_pairing_that_is_given_up_leaves_the_account_to_its_owner(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """Who tries, and is told the same again."""
    with (
        driven(database_url, puppet) as one,
        psycopg.connect(database_url, autocommit=True) as jobs,
    ):
        _is_sent(account)
        puppet.accepts = False
        puppet.turn("logged_out", "401: logged out")
        until(lambda: account.standing().state == "logged_out", "it is noted")
        assert account.acquire(pairing=True)
        one.owner.renew(jobs)
        account.transition("pairing_offered")
        account.release()
        until(lambda: puppet.connects == 2, "it is told to connect")
        puppet.turn("logged_out", "401: no login")
        until(lambda: account.standing().state == "logged_out", "it is as before")
