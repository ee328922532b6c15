"""What is sent: each event, in the order of its stream, as a signed CloudEvent."""

import psycopg

from outbox.log import webhooks
from outbox.log.follow import Follower
from outbox.webhooks.sender import Sender
from tests.cli_runner import Session, enqueue
from tests.receiver import Receiver
from tests.webhooks import log, settle, subscribe


def test_each_event_arrives_once_in_the_logs_order(
    connection: psycopg.Connection, receiver: Receiver
) -> None:
    """In peace nothing is repeated, and one request is made at a time."""
    subscribe(connection, receiver)
    sender = Sender(inside=True)
    for _ in range(130):
        enqueue(connection)
    settle(connection, sender)
    assert receiver.ids == log(connection)
    assert receiver.at_once == 1


def test_a_request_is_a_signed_cloud_event(
    connection: psycopg.Connection, receiver: Receiver
) -> None:
    """Structured mode; what it says of the notification is what the log has, no number."""
    subscribe(connection, receiver)
    id_ = enqueue(connection)
    settle(connection, Sender(inside=True))
    (event,) = receiver.got
    database = connection.info.dbname
    assert receiver.headers["content-type"] == "application/cloudevents+json"
    assert event["specversion"] == "1.0"
    assert event["source"] == f"urn:outbox:{database}"
    assert (event["type"], event["subject"]) == ("outbox.notification.enqueued", str(id_))
    row = connection.execute("select recorded_at, data, metadata from outbox.event").fetchone()
    assert row
    assert event["time"] == row[0].astimezone().isoformat() or event["time"] == row[0].isoformat()
    assert event["data"]["event"] == row[1]
    assert event["data"]["notification"] == str(id_)
    assert "447700900" not in str(event)


def test_of_a_connection_the_account_is_the_subject(
    connection: psycopg.Connection, receiver: Receiver
) -> None:
    """Both kinds of stream are told of, unless types or an account are named."""
    subscribe(connection, receiver, "lease_acquired")
    enqueue(connection)
    Session(connection)
    settle(connection, Sender(inside=True))
    (event,) = receiver.got
    assert (event["type"], event["subject"]) == ("outbox.connection.lease_acquired", "main")
    assert event["data"]["notification"] is None


def test_of_other_accounts_nothing_is_told(
    connection: psycopg.Connection, receiver: Receiver
) -> None:
    """And what is not wanted is passed by: the cursor stands behind it."""
    subscribe(connection, receiver, account="other")
    enqueue(connection)
    settle(connection, Sender(inside=True))
    assert receiver.asked == 0
    webhooks.replay(connection, "shop", 1)
    settle(connection, Sender(inside=True))
    assert receiver.asked == 0


def test_part_of_a_batch_is_kept(connection: psycopg.Connection, receiver: Receiver) -> None:
    """The cursor moves behind the last success, be the batch complete or a step of many."""
    subscribe(connection, receiver)
    for _ in range(6):
        enqueue(connection)
    batches: list[int] = []
    follower = Follower(connection, webhooks.consumer("shop"))
    for limit in (100, 3):
        batch = follower.take(limit)
        part = batch.part(2)
        follower.move(part)
        batches += [event.position for event in part.events]
    rest = follower.take()
    ids = [f"1-{position}" for position in [*batches, *(one.position for one in rest.events)]]
    assert ids == log(connection)
    assert follower.take().part(0).after == follower.take().before


def test_a_late_commit_is_not_skipped(
    database_url: str, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """Positions are not the order of commits, and a webhook does not go by them."""
    subscribe(connection, receiver)
    sender = Sender(inside=True)
    with psycopg.connect(database_url) as slow:
        enqueue(slow, "+447700900124")
        enqueue(connection)
        settle(connection, sender)
        assert receiver.ids == log(connection)
        slow.commit()
    settle(connection, sender)
    assert sorted(receiver.ids) == sorted(log(connection))
