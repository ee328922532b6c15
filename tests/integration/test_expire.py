"""What ends a notification without success, and what gives it a new start."""

from uuid import UUID, uuid4

import psycopg
import pytest

from outbox.errors import ExpiryInPast, IdempotencyConflict, UnknownNotification, WrongState
from outbox.log.upkeep import expire
from tests.account import HELLO, Account

pytestmark = pytest.mark.undone

SOON = "1 microsecond"


def in_state(account: Account, state: str) -> UUID:
    """Return a notification that has been brought to a state."""
    notification = account.enqueue(max_attempts=1)
    if state == "pending":
        return notification
    if state == "cancelled":
        account.cancel(notification)
        return notification
    account.start(notification)
    match state:
        case "unknown":
            account.record(notification, "unknown")
        case "rejected":
            account.record(notification, "rejected")
        case "exhausted":
            account.record(notification, "failed")
        case "sent" | "delivered" | "read" | "played":
            account.record(notification, "sent", "A")
            if state != "sent":
                account.receive(("A", state))
    assert account.row(notification).state == state
    return notification


def test_what_is_late_expires(connection: psycopg.Connection) -> None:
    """Pending and unknown ones that are late end; what is being sent or not late stays."""
    account = Account.owned(connection)
    sending = account.enqueue(1, expires_in="100 milliseconds")
    unknown = account.enqueue(2, expires_in="100 milliseconds")
    account.start(sending, unknown)
    account.record(unknown, "unknown", error="it crashed")
    late, fine = account.enqueue(3, expires_in=SOON), account.enqueue(4)
    later = account.enqueue(5, send_at="2999-01-01T00:00:00Z", expires_in=SOON)
    connection.execute("select pg_sleep(0.11)")
    assert expire(connection) == 2
    assert expire(connection) == 0
    states = [account.row(n).state for n in (sending, unknown, late, fine, later)]
    assert states == ["sending", "expired", "expired", "pending", "pending"]
    assert account.data(late, 2) == {"state": "pending"}
    assert account.row(unknown).last_error == "it crashed"
    account.record(sending, "failed")
    assert expire(connection) == 1
    assert account.row(sending).state == "expired"


def test_expiring_goes_in_batches(connection: psycopg.Connection) -> None:
    """A call ends so many at most, the oldest first."""
    account = Account(connection)
    late = [account.enqueue(n, expires_in=SOON) for n in range(5)]
    assert connection.execute("select outbox.expire(2)").fetchone() == (2,)
    assert [account.row(n).state for n in late] == ["expired"] * 2 + ["pending"] * 3
    assert expire(connection) == 3


def test_expiring_waits_for_nobody(connection: psycopg.Connection, database_url: str) -> None:
    """What somebody is working on at this moment is left to the next time."""
    account = Account(connection)
    held, free = account.enqueue(1, expires_in=SOON), account.enqueue(2, expires_in=SOON)
    with psycopg.connect(database_url) as caller:
        Account(caller).cancel(held)
        assert expire(connection) == 1
    assert account.row(free).state == "expired"
    assert account.row(held).state == "cancelled"


@pytest.mark.parametrize("state", ["pending", "unknown"])
def test_what_has_not_left_is_cancelled(connection: psycopg.Connection, state: str) -> None:
    """Pending and unknown ones can be withdrawn, with a reason; twice is harmless."""
    account = Account.owned(connection)
    notification = in_state(account, state)
    connection.execute("select outbox.cancel(%s, 'no longer true')", (notification,))
    version = account.row(notification).version
    assert account.row(notification).state == "cancelled"
    assert account.data(notification, version) == {"reason": "no longer true"}
    account.cancel(notification)
    assert account.row(notification).version == version


@pytest.mark.parametrize(
    "state", ["sending", "sent", "delivered", "read", "played", "rejected", "exhausted"]
)
def test_what_is_out_is_not_cancelled(connection: psycopg.Connection, state: str) -> None:
    """What may be under way, and what has ended, is refused with its state."""
    account = Account.owned(connection)
    notification = in_state(account, state)
    before = account.row(notification)
    with pytest.raises(WrongState, match=f"{notification} is {state}") as refused:
        account.cancel(notification)
    assert refused.value.rule == "cannot_cancel"
    assert account.row(notification) == before


@pytest.mark.parametrize("state", ["rejected", "exhausted", "cancelled", "unknown", "expired"])
def test_what_ended_is_requeued(connection: psycopg.Connection, state: str) -> None:
    """A dead letter starts anew, with no failures and a new expiry; its attempts are counted on."""
    account = Account.owned(connection)
    if state == "expired":
        notification = account.enqueue(expires_in=SOON)
        expire(connection)
    else:
        notification = in_state(account, state)
    attempts = account.row(notification).attempts
    account.requeue(notification)
    row = account.row(notification)
    assert (row.state, row.attempts, row.failures, row.message_id, row.last_error) == (
        "pending",
        attempts,
        0,
        None,
        None,
    )
    account.send(notification, "sent", "B")
    assert account.row(notification).attempts == attempts + 1


@pytest.mark.parametrize("state", ["pending", "sending", "sent", "delivered", "read", "played"])
def test_what_is_under_way_is_not_requeued(connection: psycopg.Connection, state: str) -> None:
    """Requeueing what is open or was sent would send it twice."""
    account = Account.owned(connection)
    notification = in_state(account, state)
    before = account.row(notification)
    with pytest.raises(WrongState, match=f"{notification} is {state}") as refused:
        account.requeue(notification)
    assert refused.value.rule == "cannot_requeue"
    assert account.row(notification) == before


def test_a_requeued_notification_is_due_now(connection: psycopg.Connection) -> None:
    """Whatever it waited for before, a requeued one is in the queue, with the expiry given."""
    account = Account.owned(connection)
    notification = account.enqueue(send_at="2999-01-01T00:00:00Z")
    account.cancel(notification)
    with pytest.raises(ExpiryInPast):
        connection.execute("select outbox.requeue(%s, '0 seconds')", (notification,))
    connection.execute("select outbox.requeue(%s, '1 hour', 'sorry')", (notification,))
    row = connection.execute(
        "select not deferred, open, due_at = changed_at, date_trunc('minute', expires_at - due_at)"
        " between interval '59 minutes' and interval '1 hour' from outbox.notification"
    ).fetchone()
    assert row == (True, True, True, True)
    assert account.data(notification, 3)["reason"] == "sorry"


def test_an_unknown_notification_is_refused(connection: psycopg.Connection) -> None:
    """Who cancels or requeues what does not exist is told the id."""
    nobody = uuid4()
    account = Account(connection)
    for act in (account.cancel, account.requeue):
        with pytest.raises(UnknownNotification, match=str(nobody)):
            act(nobody)


def test_a_key_stands_for_one_notification(connection: psycopg.Connection) -> None:
    """The same key and content return the first id, in its account; other content is refused."""
    account, other = Account(connection), Account(connection, "other")
    first = account.enqueue(idempotency_key="invoice 7")
    assert account.enqueue(idempotency_key="invoice 7", priority=5) == first
    assert other.enqueue(idempotency_key="invoice 7") != first
    bye = {"kind": "text", "text": "bye"}
    with pytest.raises(IdempotencyConflict, match="invoice 7"):
        account.enqueue(idempotency_key="invoice 7", content=bye)
    with pytest.raises(IdempotencyConflict, match="invoice 7"):
        account.enqueue(2, idempotency_key="invoice 7")
    row = connection.execute("select count(*) from outbox.event").fetchone()
    assert row == (2,)


def test_a_key_is_claimed_by_who_commits(connection: psycopg.Connection, database_url: str) -> None:
    """Of two transactions with the same key the second waits, and has the first's id or its own."""
    account = Account(connection)
    account.enqueue(1)
    with psycopg.connect(database_url) as one, psycopg.connect(database_url) as two:
        first = Account(one).enqueue(idempotency_key="k")
        two.execute("set lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            Account(two).enqueue(idempotency_key="k")
        two.rollback()
        one.commit()
        assert Account(two).enqueue(idempotency_key="k") == first
        gone = Account(one).enqueue(idempotency_key="l")
        one.rollback()
        assert Account(two).enqueue(idempotency_key="l") != gone


def test_every_enqueued_option_is_projected(connection: psycopg.Connection) -> None:
    """The row of a notification says what it was enqueued with, else what the policy says."""
    account = Account(connection)
    given = account.enqueue(
        priority=7,
        send_at="2999-01-01T00:00:00Z",
        expires_in="1 day",
        max_attempts=3,
        on_unknown="hold",
        retry_after="5 seconds",
        retry_limit="50 seconds",
    )
    plain = account.enqueue(2)
    statement = (
        "select priority, deferred, due_at = enqueued_at, expires_at - due_at >= '23:59:59',"
        " max_attempts, on_unknown, retry_after::text, retry_limit::text, state, version"
        " from outbox.notification where id = %s"
    )
    assert connection.execute(statement, (given,)).fetchone() == (
        7,
        True,
        False,
        True,
        3,
        "hold",
        "00:00:05",
        "00:00:50",
        "pending",
        1,
    )
    assert connection.execute(statement, (plain,)).fetchone() == (
        0,
        False,
        True,
        True,
        10,
        "resend",
        None,
        None,
        "pending",
        1,
    )
    body = connection.execute(
        "select distinct body from outbox.content join outbox.notification on digest = content"
    ).fetchall()
    assert body == [(HELLO,)]
