"""Receipts: what recipients' devices reported, best effort, and evidence for what is unknown."""

import itertools
from typing import Literal, get_args

import psycopg
import pytest

from outbox.errors import VersionConflict
from tests.account import Account

pytestmark = pytest.mark.undone

Kind = Literal["delivered", "read", "played"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@pytest.mark.parametrize("order", list(itertools.permutations(KINDS)))
def test_receipts_only_go_forward(
    connection: psycopg.Connection, order: tuple[Kind, Kind, Kind]
) -> None:
    """In whatever order receipts come, the furthest stands and the log has no step back."""
    account = Account.owned(connection)
    notification = account.enqueue()
    account.send(notification, "sent", "A")
    for kind in order:
        account.receive(("A", kind))
    assert account.row(notification).state == "played"
    told = account.story(notification)[3:]
    assert told == [kind for kind in KINDS if kind in told]
    assert told[-1] == "played"


def test_receipts_that_say_nothing_new_are_left_out(connection: psycopg.Connection) -> None:
    """Doubled receipts, and those of messages that the outbox did not send, leave no event."""
    account = Account.owned(connection)
    notification = account.enqueue()
    account.send(notification, "sent", "A")
    account.receive(("A", "delivered"), ("A", "delivered"), ("Z", "read"))
    account.receive(("A", "delivered"))
    assert account.receive() == []
    assert account.story(notification)[3:] == ["delivered"]


def test_of_the_receipts_of_a_batch_the_furthest_counts(connection: psycopg.Connection) -> None:
    """A batch may bring all receipts of a message at once, for several messages."""
    account = Account.owned(connection)
    one, two = account.enqueue(1), account.enqueue(2)
    account.send(one, "sent", "A")
    account.send(two, "sent", "B")
    account.receive(("A", "read"), ("B", "delivered"), ("A", "delivered"))
    assert account.story(one)[3:] == ["read"]
    assert account.story(two)[3:] == ["delivered"]


def test_a_receipt_settles_an_unknown_outcome(connection: psycopg.Connection) -> None:
    """A receipt proves that the message arrived: it is sent, and the recipient was reached."""
    account = Account.owned(connection)
    notification, other = account.enqueue(), account.enqueue(2)
    account.send(notification, "unknown", "A")
    account.send(other, "unknown")
    assert account.receive(("A", "read"), ("A", "delivered"), ("B", "read")) == [notification]
    assert account.story(notification)[3:] == ["sent", "read"]
    assert account.data(notification, 4)["evidence"] == "receipt"
    assert account.row(notification)[:4] == ("read", 5, 1, 0)
    assert account.recipient_of(notification) == (0, 0, False, None, True)
    assert account.row(other).state == "unknown"
    assert account.receive(("A", "read")) == []


def test_no_receipt_settles_an_album(connection: psycopg.Connection) -> None:
    """It is for the first message, which says nothing of the items: the policy decides."""
    digests = [
        connection.execute("select outbox.store_media(%s, 'image/png')", (data,)).fetchone()
        for data in (b"one", b"two")
    ]
    items = [{"media": row[0]} for row in digests if row]
    account = Account.owned(connection)
    account.policy(grace="0")
    notification = account.enqueue(content={"kind": "album", "items": items})
    account.transition("connected")
    account.send(notification, "unknown", "A")
    assert account.receive(("A", "delivered")) == []
    assert account.row(notification).state == "unknown"
    assert account.settle() == 1
    assert account.story(notification)[-2:] == ["attempt_unknown", "attempt_failed"]
    account.send(notification, "sent", "B")
    account.receive(("B", "delivered"))
    assert account.row(notification).state == "delivered"


def test_a_receipt_ends_a_recipients_failures(connection: psycopg.Connection) -> None:
    """Evidence of a success counts as the success does."""
    account = Account.owned(connection)
    first, second = account.enqueue(), account.enqueue()
    account.send(first, "failed")
    account.send(second, "unknown", "A")
    account.receive(("A", "delivered"))
    assert account.recipient_of(first) == (0, 1, False, None, True)


def test_a_receipt_is_the_accounts_own(connection: psycopg.Connection) -> None:
    """The same message id under another account is another message."""
    main, other = Account.owned(connection), Account.owned(connection, "other")
    one, two = main.enqueue(), other.enqueue()
    main.send(one, "sent", "A")
    other.send(two, "sent", "A")
    other.receive(("A", "read"))
    assert (main.row(one).state, other.row(two).state) == ("sent", "read")


@pytest.mark.parametrize("end", ["cancel", "requeue"])
def test_a_receipt_too_late_changes_nothing(connection: psycopg.Connection, end: str) -> None:
    """What an operator has decided meanwhile stands: the receipt is of an attempt given up."""
    account = Account.owned(connection)
    notification = account.enqueue()
    account.send(notification, "unknown", "A")
    getattr(account, end)(notification)
    before = account.row(notification)
    assert account.receive(("A", "read")) == []
    assert account.row(notification) == before


def test_receipts_hold_no_stream_up(connection: psycopg.Connection, database_url: str) -> None:
    """Receipts written by two at once: one stands, the other is told of the conflict."""
    account = Account.owned(connection)
    notification = account.enqueue()
    account.send(notification, "sent", "A")
    with psycopg.connect(database_url) as one, psycopg.connect(database_url) as two:
        first, second = Account(one), Account(two)
        first.epoch = second.epoch = account.epoch
        first.receive(("A", "delivered"))
        two.execute("set lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            second.receive(("A", "read"))
        two.rollback()
        one.commit()
        second.receive(("A", "read"))
    assert account.story(notification)[3:] == ["delivered", "read"]
    with pytest.raises(VersionConflict):
        connection.execute(
            "insert into outbox.event (account, stream, version, type)"
            " values ('main', %s, 5, 'delivered')",
            (notification,),
        )
