"""The pace of an account as its owner keeps it: it asks when it may, and never in vain."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest

from outbox.delivery import pace
from outbox.log import attempts
from outbox.log.attempts import Exchanged
from outbox.log.database import Connection
from tests.account import Account
from tests.puppet import Puppet, driven, until


@pytest.fixture
def account(connection: psycopg.Connection) -> Account:
    """An account with a pace that a test can bear, and no lack of strangers."""
    account = Account(connection)
    account.policy(pace=600_000, strangers_a_day=100_000)
    return account


@pytest.fixture
def puppet() -> Puppet:
    """A session whose messages are paced."""
    puppet = Puppet()
    puppet.is_paced = True
    return puppet


class Calls:
    """The owner's calls of the log that ask to start something."""

    def __init__(self) -> None:
        self.asked: list[list[UUID]] = []
        self.answers: list[Exchanged] = []

    @contextmanager
    def counted(self) -> Iterator["Calls"]:
        """Count until the block ends."""
        exchange = attempts.exchange

        def counting(
            connection: Connection, account: str, epoch: int, *given: list[UUID], paced: bool
        ) -> Exchanged:
            answer = exchange(connection, account, epoch, *given, paced=paced)  # type: ignore[arg-type]
            if given[1]:
                self.asked.append(given[1])
                self.answers.append(answer)
            return answer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(attempts, "exchange", counting)
            yield self


def until_held(calls: Calls) -> None:
    """Wait until the owner was told to wait."""
    until(lambda: any(answer.held for answer in calls.answers), "something is held")


def until_sent(account: Account, *notifications: UUID) -> None:
    """Wait until these are sent."""
    for notification in notifications:
        until(lambda: account.row(notification).state == "sent", "it is sent")  # noqa: B023


def be_friends(account: Account) -> None:
    """Let everybody who was reached so far have been so long ago."""
    account.connection.execute("update outbox.recipient set first_sent_at = '2026-01-01'")


def test_all_is_sent_in_order_at_its_pace(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """However many times it has to wait meanwhile, and by itself."""
    account.policy(pace=6_000, burst=2)
    notifications = [account.enqueue(number % 4) for number in range(60)]
    with Calls().counted() as calls, driven(database_url, puppet):
        until_sent(account, *notifications)
    assert puppet.order == notifications
    assert any(answer.held for answer in calls.answers)
    rows = account.connection.execute(
        "select extract(epoch from recorded_at)::float8 from outbox.event"
        " where type = 'attempt_started' order by position"
    )
    times = [at for (at,) in rows]
    # 10 ms each, less 0.3 of it; the log takes the moment of the statement, which is a bit earlier.
    assert times[-1] - times[0] >= 0.7 * 0.01 * (len(times) - 1 - 2) - 0.05


def test_account_that_waits_is_not_asked_for(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """Whatever arrives, and whoever looks; what is more urgent goes first afterwards."""
    account.policy(pace=0.001, burst=1)
    first, *waiting = [account.enqueue(number) for number in range(30)]
    with Calls().counted() as calls, driven(database_url, puppet, poll_seconds=0.2):
        until_sent(account, first)
        until_held(calls)
        asked = len(calls.asked)
        urgent = account.enqueue(50, priority=9)
        time.sleep(0.7)
        assert len(calls.asked) == asked
        assert account.pace().reason == "pace"
        assert all(account.row(one).attempts == 0 for one in (*waiting, urgent))
    account.policy(pace=600_000)
    account.connection.execute("update outbox.connection set bucket_full_at = null")
    with driven(database_url, puppet):
        until_sent(account, urgent, *waiting)
    assert puppet.order == [first, urgent, *waiting]


def test_what_was_taken_in_vain_keeps_its_place(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """Although it was asked for, and what arrived meanwhile was not."""
    account.policy(pace=40, burst=1)  # a second and a half, give or take
    first, *waiting = [account.enqueue(number) for number in range(4)]
    with Calls().counted() as calls, driven(database_url, puppet):
        until_sent(account, first)
        until_held(calls)
        urgent = account.enqueue(100, priority=9)
        same = account.enqueue(101)
        until(lambda: urgent in puppet.order, "it goes on by itself")
        account.policy(pace=600_000)
        until_sent(account, *waiting, same)
    assert puppet.order == [first, urgent, *waiting, same]


def test_policy_is_asked_again_after_a_while(
    database_url: str, account: Account, puppet: Puppet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator who raises the pace or the budget need not restart the worker."""
    monkeypatch.setattr(pace, "_ASK_AGAIN_SECONDS", 0.1)
    account.policy(strangers_a_day=1)
    first, second = account.enqueue(1), account.enqueue(2)
    with Calls().counted() as calls, driven(database_url, puppet):
        until_sent(account, first)
        until_held(calls)
        account.policy(strangers_a_day=2)
        until_sent(account, second)


def test_session_that_is_not_paced_asks_for_all(database_url: str, account: Account) -> None:
    """At once, whatever the policy says."""
    account.policy(pace=0.001, burst=1, strangers_a_day=0)
    notifications = [account.enqueue(number) for number in range(50)]
    puppet = Puppet()
    with Calls().counted() as calls, driven(database_url, puppet):
        until_sent(account, *notifications)
    assert [len(asked) for asked in calls.asked] == [50]
    assert not any(attempt.check for attempt in puppet.handed)


def test_strangers_wait_and_friends_go_on(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """Each stranger is asked for once, and holds up nobody but what follows to the same."""
    account.policy(strangers_a_day=2)
    friends = [account.enqueue(number) for number in range(2)]
    with driven(database_url, puppet):
        until_sent(account, *friends)
    be_friends(account)
    strangers = [account.enqueue(100 + number) for number in range(25)]
    after = [account.enqueue(124), account.enqueue(0), account.enqueue(1)]
    with Calls().counted() as calls, driven(database_url, puppet):
        until_sent(account, *strangers[:2], *after[1:])
        time.sleep(0.3)
        assert len(calls.asked) < 10
        assert sum(strangers[-1] in asked for asked in calls.asked) == 1
        assert all(account.row(one).attempts == 0 for one in (*strangers[2:], after[0]))
    assert account.pace().strangers_reason == "strangers"


def test_throttled_account_pauses_and_its_message_goes_first(
    database_url: str, account: Account, puppet: Puppet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the account that waits, not the recipient; nothing is counted against it."""
    monkeypatch.setattr(pace, "_ASK_AGAIN_SECONDS", 0.3)
    puppet.answers = False
    first, second = account.enqueue(1), account.enqueue(1)
    other = account.enqueue(2)
    with Calls().counted() as calls, driven(database_url, puppet):
        sent, throttled = sorted(puppet.until_handed(2), key=lambda a: a.notification == first)
        puppet.answer(throttled, "throttled", "429: rate-overlimit")
        puppet.answer(sent, "sent")
        until_sent(account, other)
        until_held(calls)
        assert account.pace().reason == "throttled"
        assert account.standing().state == "connected"
        assert account.row(first)[:4] == ("pending", 3, 1, 0)
        puppet.answers = True
        account.connection.execute("update outbox.connection set throttled_until = now()")
        until_sent(account, first, second)
    assert puppet.order[-2:] == [first, second]


def test_restricted_account_keeps_its_friends(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """The refused one has ended, and what follows to the same recipient waits as a stranger."""
    friend = account.enqueue(1)
    with driven(database_url, puppet):
        until_sent(account, friend)
        puppet.answers = False
        refused, again = account.enqueue(2), account.enqueue(2)
        puppet.answer(puppet.until_handed(2)[-1], "restricted", "server returned error 463")
        until(lambda: account.row(refused).state == "rejected", "it has ended")
        puppet.answers = True
        friend = account.enqueue(1)
        stranger = account.enqueue(3)
        until_sent(account, friend)
        assert account.row(again).attempts == account.row(stranger).attempts == 0
    assert account.pace().strangers_reason == "restricted"


def test_number_of_a_stranger_is_checked_before_the_first_message(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """Only then; what was found is remembered, and said without the number."""
    puppet.registered = True
    first, second = account.enqueue(1), account.enqueue(1)
    with driven(database_url, puppet):
        until_sent(account, first, second)
        assert [attempt.check for attempt in puppet.handed] == [True, False]
        puppet.answers, puppet.registered = False, False
        nobody, again = account.enqueue(2), account.enqueue(2)
        attempt = puppet.until_handed(3)[-1]
        assert attempt.check
        puppet.answer(attempt, "rejected", "its number is not on WhatsApp")
        until(lambda: account.row(again).state == "rejected", "the second is not even tried")
    assert puppet.order == [first, second, nobody]
    error = account.row(again).last_error or ""
    assert error.startswith("its number is not on WhatsApp, as was checked at 20")
    assert "4477009" not in error
    assert account.row(first).state == "sent"


def test_recipient_who_was_erased_gets_nothing(
    database_url: str, account: Account, puppet: Puppet
) -> None:
    """Although its message is somebody else's, too, and is still there."""
    erased, after = account.enqueue(1), account.enqueue(2)
    account.connection.execute("delete from outbox.identity where jid like '%01@%'")
    with driven(database_url, puppet):
        until_sent(account, after)
    assert puppet.order == [after]
    assert account.row(erased).last_error == "its recipient has been erased"


def test_paused_owner_stops_at_once(database_url: str, account: Account, puppet: Puppet) -> None:
    """And the next one has the same pause from the log."""
    account.policy(pace=0.001, burst=1)
    first, second = account.enqueue(1), account.enqueue(2)
    with Calls().counted() as calls, driven(database_url, puppet) as one:
        until_sent(account, first)
        until_held(calls)
        one.stop(2)
    with Calls().counted() as calls, driven(database_url, puppet):
        until_held(calls)
    assert account.row(second).attempts == 0
    assert account.connection_story()[-1] == "lease_released"
