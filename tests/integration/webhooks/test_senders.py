"""Several senders, and those that stop: one at a time serves a webhook."""

import psycopg

from outbox.log import webhooks
from outbox.webhooks.sender import Sender
from tests.cli_runner import enqueue
from tests.puppet import until
from tests.receiver import Receiver
from tests.webhooks import lapse, log, settle, subscribe


def test_two_senders_share(connection: psycopg.Connection, receiver: Receiver) -> None:
    """Each webhook has one sender at a time, and the other takes over after the lease."""
    subscribe(connection, receiver)
    one, two = Sender(inside=True), Sender(inside=True)
    for _ in range(30):
        enqueue(connection)
        one.turn(connection)
        two.turn(connection)
    settle(connection, one)
    assert receiver.at_once == 1
    assert receiver.ids == log(connection)
    enqueue(connection)
    settle(connection, two)
    assert len(receiver.got) == 30
    lapse(connection)
    settle(connection, two)
    assert receiver.ids == log(connection)


def test_a_stopping_sender_finishes_and_gives_back(
    connection: psycopg.Connection, receiver: Receiver
) -> None:
    """The request in hand is waited for and noted; the next sender need not wait for the lease."""
    subscribe(connection, receiver)
    receiver.let_go.clear()
    for _ in range(3):
        enqueue(connection)
    sender = Sender(inside=True, grace=10)
    sender.turn(connection)
    until(lambda: receiver.asked == 1, "a request is in hand")
    sender._errands["shop"].told_to_stop = True  # before it is let go: it is the last
    receiver.let_go.set()
    sender.close(connection)
    assert webhooks.named(connection, "shop").owner is None
    assert receiver.ids == log(connection)[:1]
    settle(connection, Sender(inside=True))
    assert receiver.ids == log(connection)
