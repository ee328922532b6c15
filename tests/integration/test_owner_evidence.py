"""What settles an unknown outcome: no trace, a receipt, or the policy; whatever comes first."""

import time
from collections.abc import Mapping, Sequence
from uuid import UUID

import psycopg
import pytest

from tests.account import Account
from tests.puppet import Puppet, driven, message_of, until


class Returned(Puppet):
    """A session that brings the receipts along that have waited for it."""

    def __init__(self, *waiting: str) -> None:
        super().__init__()
        self.waiting = waiting

    def connect(self) -> None:
        """Connect, and hand over what has waited, at once."""
        super().connect()
        for message_id in self.waiting:
            self.receipt(message_id)


@pytest.fixture
def account(connection: psycopg.Connection) -> Account:
    """An account whose policy would settle nothing while a test runs."""
    connection.execute("update outbox.policy set grace = '1 hour'")
    return Account(connection)


def _left_by_a_dead_worker(account: Account, on_unknown: str = "resend") -> UUID:
    """Enqueue one that a worker has begun to send, whose lease has lapsed since."""
    notification = account.enqueue(on_unknown=on_unknown)
    assert account.acquire(0)
    assert account.start(notification) == [notification]
    return notification


@pytest.mark.parametrize("on_unknown", ["resend", "hold"])
def test_receipt_that_waited_for_the_session_settles_what_a_dead_worker_left(
    database_url: str, account: Account, on_unknown: str
) -> None:
    """WhatsApp hands waiting receipts over at once; they count although traces come later."""
    notification = _left_by_a_dead_worker(account, on_unknown=on_unknown)
    puppet = Returned("M1")
    puppet.traces[notification, 1] = "M1"
    with driven(database_url, puppet):
        until(lambda: account.row(notification).state == "delivered", "the receipt settles it")
    assert account.row(notification).attempts == 1
    assert not puppet.handed


@pytest.mark.parametrize("on_unknown", ["resend", "hold"])
def test_attempt_without_a_trace_is_made_again_at_once(
    database_url: str, account: Account, on_unknown: str
) -> None:
    """No trace, never left: that is safe even for what is to be sent at most once."""
    notification = _left_by_a_dead_worker(account, on_unknown=on_unknown)
    puppet = Puppet()
    with driven(database_url, puppet):
        until(lambda: account.row(notification).state == "sent", "it is sent")
    assert [a.number for a in puppet.handed] == [2]
    assert account.data(notification, 4)["class"] == "never_left"


@pytest.mark.parametrize("on_unknown", ["resend", "hold"])
def test_no_trace_proves_nothing_once_the_account_was_paired_again(
    database_url: str, account: Account, on_unknown: str
) -> None:
    """Traces go with the login: the policy decides, so what is held is not sent twice."""
    account.connection.execute("update outbox.policy set grace = '300 ms'")
    doubtful = _left_by_a_dead_worker(account, on_unknown=on_unknown)
    assert account.acquire()
    account.transition("paired")
    account.release()
    after = account.enqueue(2)
    puppet = Puppet()
    with driven(database_url, puppet):
        until(lambda: account.row(after).state == "sent", "another one is sent")
        if on_unknown == "resend":
            until(lambda: account.row(doubtful).state == "sent", "it is sent again")
            assert "unconfirmed" in {account.data(doubtful, n).get("class") for n in range(1, 7)}
        else:
            time.sleep(0.6)  # twice the grace
            assert account.row(doubtful).state == "unknown"
    assert puppet.order == ([after, doubtful] if on_unknown == "resend" else [after])


def test_attempt_with_a_trace_waits_for_the_grace_and_is_made_again(
    database_url: str, account: Account
) -> None:
    """With `resend` it is at least once, and the log says why there may be two."""
    account.connection.execute("update outbox.policy set grace = '300 ms'")
    notification = _left_by_a_dead_worker(account)
    puppet = Puppet()
    puppet.traces[notification, 1] = "M1"
    with driven(database_url, puppet):
        until(lambda: account.row(notification).state == "sent", "it is sent")
    assert account.story(notification)[1:] == [
        "attempt_started",
        "attempt_unknown",  # the lease lapsed
        "attempt_unknown",  # a trace was found
        "attempt_failed",  # no receipt came within the grace
        "attempt_started",
        "sent",
    ]


def test_held_one_waits_for_an_operator_and_holds_up_nobody(
    database_url: str, account: Account
) -> None:
    """With `hold` it is at most once: it stays unknown, and others to its recipient go on."""
    account.connection.execute("update outbox.policy set grace = '0'")
    held = _left_by_a_dead_worker(account, on_unknown="hold")
    after = account.enqueue()
    puppet = Puppet()
    puppet.traces[held, 1] = "M1"
    with driven(database_url, puppet):
        until(lambda: account.row(after).state == "sent", "the next one is sent")
        until(lambda: account.row(held).message_id == "M1", "its trace is found")
        time.sleep(0.3)  # far longer than the grace
        assert account.row(held).state == "unknown"
        account.requeue(held)
        until(lambda: account.row(held).state == "sent", "the operator has it sent again")
    assert puppet.order == [after, held]


def test_what_follows_an_unknown_one_waits_for_it(database_url: str, account: Account) -> None:
    """Nothing overtakes what may have to be sent again."""
    doubtful = _left_by_a_dead_worker(account)
    after, other = account.enqueue(), account.enqueue(2)
    puppet = Puppet()
    puppet.traces[doubtful, 1] = "M1"
    with driven(database_url, puppet):
        until(lambda: account.row(other).state == "sent", "another recipient's is sent")
        assert account.row(after).state == "pending"
        puppet.receipt("M1")
        until(lambda: account.row(after).state == "sent", "it goes on")
    assert puppet.order == [other, after]


@pytest.mark.parametrize("outcome", ["sent", "unknown"])
def test_receipt_that_comes_before_the_acknowledgement_counts(
    database_url: str, account: Account, outcome: str
) -> None:
    """A receipt is evidence for an attempt that is still out, whatever its outcome will be."""
    notification = account.enqueue()
    puppet = Puppet()
    puppet.answers = False
    with driven(database_url, puppet) as one:
        attempt = puppet.until_handed(1)[0]
        puppet.receipt(message_of(attempt))
        tenure = one.owner._tenure
        assert tenure
        until(lambda: not (tenure._inbox or tenure._receipts), "the receipt is taken")
        puppet.answer(attempt, outcome)  # type: ignore[arg-type]  # the parameters are its types
        until(lambda: account.row(notification).state == "delivered", "it is settled")
    assert account.row(notification).attempts == 1


def test_question_about_traces_without_an_answer_proves_nothing(
    database_url: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked again, and until then nothing is sent."""
    notification = _left_by_a_dead_worker(account, on_unknown="hold")
    puppet, lost = Puppet(), [ConnectionError("lost"), ConnectionError("lost")]
    puppet.traces[notification, 1] = "M1"
    trace = puppet.trace

    def failing(attempts: Sequence[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], str]:
        if lost:
            raise lost.pop()
        return trace(attempts)

    monkeypatch.setattr(puppet, "trace", failing)
    with driven(database_url, puppet):
        until(lambda: account.row(notification).message_id == "M1", "its trace is found")
    assert not lost
    assert not puppet.handed


def test_new_doubt_does_not_wait_for_an_old_one_that_is_held(
    database_url: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an operator decides on is looked at seldom; a new unknown outcome at once."""
    held = _left_by_a_dead_worker(account, on_unknown="hold")
    puppet = Puppet()
    puppet.traces[held, 1] = "M1"
    with driven(database_url, puppet):
        monkeypatch.setattr("outbox.delivery.evidence._HELD_SECONDS", 60)
        until(lambda: account.row(held).message_id == "M1", "its trace is found")
        account.connection.execute("update outbox.policy set grace = '50 ms'")
        puppet.answers = False
        notification = account.enqueue(2)
        attempt = puppet.until_handed(1)[0]
        puppet.answers = True
        puppet.answer(attempt, "unknown")
        until(lambda: account.row(notification).state == "sent", "it is sent again", 3)
