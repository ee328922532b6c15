"""Webhooks: nothing is skipped, each stream keeps its order, every signature is valid."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import psycopg
import pytest

from outbox.log import webhooks
from outbox.log.follow import Follower
from outbox.webhooks.address import is_inside
from outbox.webhooks.request import _Connection
from outbox.webhooks.sender import Sender
from tests.cli_runner import Session, enqueue, run
from tests.puppet import until
from tests.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that listens."""
    with Receiver().up() as receiver:
        yield receiver


def subscribe(
    connection: psycopg.Connection,
    receiver: Receiver,
    *events: str,
    account: str | None = None,
    position: int | None = None,
) -> None:
    """Make a webhook named shop."""
    made = webhooks.create(
        connection, "shop", receiver.url, events=events, account=account, position=position
    )
    receiver.secret = made.secret


def settle(connection: psycopg.Connection, sender: Sender) -> None:
    """Give the sender turns until it has nothing in hand and nothing to take."""
    idle = 0

    def turn() -> bool:
        nonlocal idle
        sender.turn(connection)
        idle = 0 if sender._errands else idle + 1
        return idle > 1

    until(turn, "the sender has nothing to do")


def log(connection: psycopg.Connection, *types: str) -> list[str]:
    """Return the ids that the events of the log have, by position."""
    rows = connection.execute(
        "select position from outbox.event where %s or type = any(%s) order by position",
        (not types, list(types)),
    )
    return [f"1-{position}" for (position,) in rows]


def again(connection: psycopg.Connection) -> None:
    """Let the next try be due."""
    connection.execute("update outbox.webhook set retry_at = now() where retry_at is not null")


def lapse(connection: psycopg.Connection) -> None:
    """Let the leases of webhooks be over."""
    connection.execute("update outbox.webhook set leased_until = now() where owner is not null")


def in_order(receiver: Receiver) -> bool:
    """Return whether each stream's first arrivals came in the order of its versions."""
    seen: set[str] = set()
    versions: dict[str, list[int]] = {}
    for one in receiver.got:
        if one["id"] not in seen:
            seen.add(one["id"])
            versions.setdefault(one["subject"], []).append(one["data"]["version"])
    return all(a < b for stream in versions.values() for a, b in pairwise(stream))


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
    webhooks.hold(connection, "shop", owner, timedelta(minutes=1))
    for failures in range(14):
        before = connection.execute("select now()").fetchone()
        _, retry_at = webhooks.fail(connection, "shop", owner, "no", forever=False)
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


def test_an_address_inside_is_asked_nothing(
    connection: psycopg.Connection, receiver: Receiver
) -> None:
    """Without the setting, whatever was allowed when the webhook was made."""
    subscribe(connection, receiver)
    enqueue(connection)
    settle(connection, Sender(inside=False))
    assert receiver.asked == 0
    assert "not https" in str(webhooks.named(connection, "shop").last_error)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:192.168.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "224.0.0.1",
        "0.0.0.0",  # noqa: S104 - it is refused
    ],
)
def test_what_is_inside_is_known(address: str) -> None:
    """However it is wrapped."""
    assert is_inside(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8"])
def test_what_is_outside_is_allowed(address: str) -> None:
    """Public addresses are nobody's secret."""
    assert not is_inside(address)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://localhost/", "localhost is inside"),
        ("https://[::ffff:10.0.0.1]/", "is inside"),
        ("http://8.8.8.8/", "Not https"),
        ("ftp://8.8.8.8/", "Not a URL of a webhook"),
        ("https://user:word@8.8.8.8/", "carries no password"),
        ("https://[8.8.8.8/", "Not a URL"),
    ],
)
def test_a_url_that_may_not_be_is_refused(database_url: str, url: str, why: str) -> None:
    """By the command, in a sentence; nothing is made."""
    ran = run("webhook", "create", "shop", url, url=database_url)
    assert ran.code == 3
    assert why in ran.err
    assert run("webhook", "list", "--json", url=database_url).json == []


def test_a_connection_is_judged_by_whom_it_reached(receiver: Receiver) -> None:
    """Before anything is said, whatever the name stood for before."""
    connection = _Connection("127.0.0.1", receiver.port, tls=False, inside=False, patience=5)
    with pytest.raises(OSError, match=r"is inside, at 127\.0\.0\.1"):
        connection.request("POST", "/")
    assert receiver.asked == 0


def test_commands_say_and_change_how_it_goes(
    database_url: str,
    connection: psycopg.Connection,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The whole life of a webhook from the command line."""
    monkeypatch.setenv("OUTBOX_WEBHOOKS_INSIDE", "true")

    def does(*arguments: str) -> str:
        ran = run("webhook", *arguments, url=database_url)
        assert ran.code == 0, ran.err
        return ran.out

    receiver.secret = does("create", "shop", receiver.url, "--event", "sent").strip()
    assert receiver.secret.startswith("whsec_")
    assert receiver.secret in does("show", "shop")
    assert receiver.secret not in does("list", "--json")
    assert does("test", "shop") == "shop answered 204.\n"
    assert receiver.got[0]["type"] == "outbox.webhook.test"
    receiver.status = 500
    assert "it answered 500" in run("webhook", "test", "shop", url=database_url).err
    assert does("disable", "shop") == "Disabled shop.\n"
    assert "disabled: shop" in run("doctor", url=database_url).out
    assert "webhook shop is disabled" in run("status", url=database_url).out
    does("enable", "shop")
    does("replay", "shop", "--from", "beginning")
    assert webhooks.named(connection, "shop").state == "enabled"
    does("delete", "shop")
    assert run("webhook", "show", "shop", url=database_url).code == 4


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
    with pytest.raises(webhooks.WebhookError, match="The log has no position 99"):
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
    with pytest.raises(webhooks.UnknownWebhookError, match="outbox webhook list"):
        webhooks.delete(connection, "shop")


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
