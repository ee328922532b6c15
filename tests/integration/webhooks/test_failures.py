"""Receivers that fail: what they missed is tried again, and when a webhook is given up."""

from datetime import timedelta

import psycopg
import pytest

from outbox.log import webhook_lease, webhooks
from outbox.webhooks.request import post
from outbox.webhooks.sender import Sender
from tests.cli_runner import enqueue
from tests.receiver import Receiver
from tests.webhooks import again, log, settle, subscribe


def test_a_receiver_that_is_down_misses_nothing(connection: psycopg.Connection) -> None:
    """What failed is tried again, and nothing behind it goes before."""
    receiver = Receiver()
    with receiver.up():
        subscribe(connection, receiver)
    sender = Sender(inside=True)
    for _ in range(5):
        enqueue(connection)
    settle(connection, sender)
    found = webhooks.named(connection, "shop")
    assert (found.state, found.failures) == ("failing", 1)
    assert "refused" in (found.last_error or "")
    with receiver.up():
        again(connection)
        settle(connection, sender)
    assert receiver.ids == log(connection)
    assert webhooks.named(connection, "shop").state == "enabled"


def test_a_failure_in_the_middle_begins_again_there(
    connection: psycopg.Connection, receiver: Receiver
) -> None:
    """What was delivered before it does not come again; without its time nothing is tried."""
    subscribe(connection, receiver)
    sender = Sender(inside=True)
    for _ in range(3):
        enqueue(connection)
    settle(connection, sender)
    receiver.status = 503
    for _ in range(4):
        enqueue(connection)
    settle(connection, sender)
    asked = receiver.asked
    settle(connection, sender)
    assert receiver.asked == asked == 4
    receiver.status = 200
    again(connection)
    settle(connection, sender)
    assert receiver.ids == log(connection)


def test_a_slow_receiver_holds_up_nobody_and_is_given_up(
    connection: psycopg.Connection, receiver: Receiver
) -> None:
    """A turn does not wait for the answer; one that does not come in time is a failure."""
    subscribe(connection, receiver)
    receiver.let_go.clear()
    enqueue(connection)
    sender = Sender(inside=True, patience=0.3)
    sender.turn(connection)
    assert sender._errands
    settle(connection, sender)
    assert webhooks.named(connection, "shop").last_error == "no answer within 0.3 seconds"
    receiver.let_go.set()
    again(connection)
    settle(connection, sender)
    assert set(receiver.ids) == set(log(connection))


def test_a_receiver_that_is_gone_is_told_no_more(
    connection: psycopg.Connection, receiver: Receiver
) -> None:
    """410 disables at once; enabled again, it goes on where it stood."""
    subscribe(connection, receiver)
    receiver.status = 410
    enqueue(connection)
    sender = Sender(inside=True)
    settle(connection, sender)
    found = webhooks.named(connection, "shop")
    assert (found.state, found.disabled_because) == ("disabled", "it answered 410 Gone")
    enqueue(connection)
    again(connection)
    settle(connection, sender)
    assert receiver.asked == 1
    receiver.status = 200
    webhooks.enable(connection, "shop")
    settle(connection, sender)
    assert receiver.ids == log(connection)


@pytest.mark.parametrize(("since", "state"), [("23 hours", "failing"), ("24 hours", "disabled")])
def test_a_day_of_failures_disables(
    connection: psycopg.Connection, receiver: Receiver, since: str, state: str
) -> None:
    """By the database's clock, counted from the first failure after a success."""
    subscribe(connection, receiver)
    receiver.status = 500
    enqueue(connection)
    sender = Sender(inside=True)
    settle(connection, sender)
    connection.execute(
        "update outbox.webhook set failing_since = now() - %s::interval, retry_at = now()", (since,)
    )
    settle(connection, sender)
    found = webhooks.named(connection, "shop")
    assert found.state == state
    if state == "disabled":
        assert found.disabled_because == (
            "it failed for a day: it answered 500 Internal Server Error"
        )


def test_a_success_ends_the_day(connection: psycopg.Connection, receiver: Receiver) -> None:
    """A receiver that takes some and then fails has not failed for a day."""
    subscribe(connection, receiver)
    receiver.status = 500
    enqueue(connection)
    sender = Sender(inside=True)
    settle(connection, sender)
    connection.execute("update outbox.webhook set failing_since = '2000-01-01'")
    receiver.status = 200
    again(connection)
    settle(connection, sender)
    found = webhooks.named(connection, "shop")
    assert (found.failing_since, found.failures, found.last_error) == (None, 0, None)


def test_retries_back_off_to_an_hour(connection: psycopg.Connection, receiver: Receiver) -> None:
    """Doubled from 5 s with every failure, of which chance takes up to half."""
    subscribe(connection, receiver)
    owner = Sender(inside=True)._id
    webhook_lease.hold(connection, "shop", owner, timedelta(minutes=1))
    for failures in range(14):
        before = connection.execute("select now()").fetchone()
        _, retry_at = webhook_lease.fail(connection, "shop", owner, "no", forever=False)
        assert before
        assert retry_at
        full = min(5 * 2**failures, 3600)
        seconds = (retry_at - before[0]).total_seconds()
        assert full / 2 <= seconds <= full + 1


def test_a_redirect_is_a_failure(connection: psycopg.Connection, receiver: Receiver) -> None:
    """It is not followed, wherever it leads."""
    subscribe(connection, receiver)
    receiver.status = 307
    enqueue(connection)
    settle(connection, Sender(inside=True))
    assert receiver.asked == 1
    error = webhooks.named(connection, "shop").last_error
    assert error == "it answered 307 Temporary Redirect; redirects are not followed"


def test_a_host_that_is_none_is_said_in_words() -> None:
    """Without the numbers of an operating system."""
    error = post("http://shop.invalid/", b"{}", {}, inside=True).error
    assert error is not None
    assert error.startswith("its host cannot be looked up: ")
    assert "Errno" not in error
