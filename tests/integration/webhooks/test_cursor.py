"""Where a webhook stands in the log: it begins, is replayed and is deleted."""

from pathlib import Path

import psycopg
import pytest

from outbox.archive import moving
from outbox.errors import InvalidWebhook, UnknownWebhook
from outbox.log import webhooks
from outbox.log.months import ArchiveError
from outbox.webhooks.sender import Sender
from tests.archiving import JANUARY, two_months
from tests.cli_runner import enqueue
from tests.puppet import until
from tests.receiver import Receiver
from tests.webhooks import log, settle, subscribe


def test_a_replay_sends_again_from_a_position(
    connection: psycopg.Connection, receiver: Receiver
) -> None:
    """All from there on, and what comes later follows."""
    for _ in range(4):
        enqueue(connection)
    subscribe(connection, receiver)
    sender = Sender(inside=True)
    settle(connection, sender)
    assert receiver.ids == []
    ids = log(connection)
    webhooks.replay(connection, "shop", int(ids[2].partition("-")[2]))
    enqueue(connection)
    settle(connection, sender)
    assert receiver.ids == log(connection)[2:]
    with pytest.raises(InvalidWebhook, match=r"Not a position of the log: 99\. It has 1 to 5"):
        webhooks.replay(connection, "shop", 99)


def test_a_replay_in_the_middle_wins(connection: psycopg.Connection, receiver: Receiver) -> None:
    """What a sender has in hand does not move the cursor past a replay."""
    subscribe(connection, receiver)
    receiver.let_go.clear()
    enqueue(connection)
    sender = Sender(inside=True)
    sender.turn(connection)
    until(lambda: receiver.asked == 1, "a request is in hand")
    webhooks.replay(connection, "shop", 1)
    receiver.let_go.set()
    settle(connection, sender)
    assert receiver.ids == log(connection) * 2


def test_a_webhook_can_begin_at_the_beginning(
    connection: psycopg.Connection, receiver: Receiver
) -> None:
    """Of what was there before it, too."""
    enqueue(connection)
    subscribe(connection, receiver, position=1)
    settle(connection, Sender(inside=True))
    assert receiver.ids == log(connection)


def test_what_is_archived_is_not_passed_over(
    connection: psycopg.Connection, receiver: Receiver, tmp_path: Path
) -> None:
    """A replay from before it is refused, and says where it may begin; a month to come stays."""
    two_months(connection)
    sender = Sender(inside=True)
    subscribe(connection, receiver, position=1)
    with pytest.raises(ArchiveError, match="webhook shop has still to read of it"):
        moving.archive(connection, JANUARY, str(tmp_path))
    settle(connection, sender)
    assert receiver.ids == log(connection)
    moving.archive(connection, JANUARY, str(tmp_path))
    with pytest.raises(InvalidWebhook, match="Events before 6 lie in an archive: begin there"):
        webhooks.replay(connection, "shop", 1)
    webhooks.replay(connection, "shop", 6)
    receiver.got.clear()
    settle(connection, sender)
    assert receiver.ids == log(connection)


def test_a_deleted_webhook_leaves_nothing(
    connection: psycopg.Connection, receiver: Receiver
) -> None:
    """Its cursor goes with it, and a request in hand does not bring it back."""
    subscribe(connection, receiver)
    receiver.let_go.clear()
    enqueue(connection)
    sender = Sender(inside=True)
    sender.turn(connection)
    until(lambda: receiver.asked == 1, "a request is in hand")
    webhooks.delete(connection, "shop")
    receiver.let_go.set()
    settle(connection, sender)
    assert connection.execute("select from outbox.cursor").fetchone() is None
    with pytest.raises(UnknownWebhook, match="outbox webhook list"):
        webhooks.delete(connection, "shop")
