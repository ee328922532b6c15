"""The queue as an owner delivers it: order, priority, time, pages, and who waits for whom."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from outbox.delivery import vigil
from tests.account import HELLO, Account
from tests.puppet import Puppet, driven, until

FULL = 100
"""The smallest window that there is."""


@pytest.fixture
def account(connection: psycopg.Connection) -> Account:
    """An account whose failures are retried soon."""
    connection.execute("update outbox.policy set retry_after = '100 ms', jitter = 0")
    return Account(connection)


def _enqueue(account: Account, recipients: list[int], **options: object) -> list[UUID]:
    """Enqueue one for each of these recipients, in one batch."""
    items = [
        {"recipient": f"+4477009{number:05}", "content": HELLO, **options} for number in recipients
    ]
    rows = account.connection.execute(
        "select id from outbox.enqueue_batch(%s, %s)", (json.dumps(items), account.name)
    )
    return [row[0] for row in rows]


def _waits_for_its_connection(puppet: Puppet) -> None:
    until(lambda: puppet.connects, "it is told to connect")


def test_each_recipient_gets_its_own_in_order(database_url: str, account: Account) -> None:
    """Whatever goes on beside."""
    accepted = _enqueue(account, [number % 7 for number in range(210)])
    puppet = Puppet()
    with driven(database_url, puppet):
        puppet.until_handed(210)
    for recipient in range(7):
        mine = accepted[recipient::7]
        assert [id_ for id_ in puppet.order if id_ in set(mine)] == mine


def test_window_that_is_smaller_than_the_queue(database_url: str, account: Account) -> None:
    """Thousands are delivered through a memory of a hundred, by priority, each in order."""
    puppet = Puppet()
    puppet.accepts = False
    accepted: dict[int, list[UUID]] = {}
    for priority in (0, 5, -3, 9):
        recipients = [number % 40 for number in range(500)]
        accepted[priority] = _enqueue(account, recipients, priority=priority)
    puppet.accepts = True
    with driven(database_url, puppet, window=FULL):
        puppet.until_handed(2000)
    assert len(set(puppet.order)) == 2000
    # With forty recipients at a time the priorities hardly mix: the last of one may go beside the
    # first of the next.
    ranks = {id_: -priority for priority, ids in accepted.items() for id_ in ids}
    order = [ranks[id_] for id_ in puppet.order]
    assert sum(a > b for a, b in zip(order, sorted(order), strict=True)) <= 3 * 40
    for ids in accepted.values():
        for recipient in range(40):
            mine = ids[recipient::40]
            assert [id_ for id_ in puppet.order if id_ in set(mine)] == mine


def test_urgent_one_overtakes_a_long_queue(database_url: str, account: Account) -> None:
    """A code that is asked for now does not wait behind a campaign."""
    campaign = _enqueue(account, list(range(1000)))
    puppet = Puppet()
    puppet.answers, puppet.capacity = False, 10
    with driven(database_url, puppet, window=FULL):
        puppet.until_handed(10)
        urgent = account.enqueue(5000, priority=10)
        puppet.answers = True
        for attempt in list(puppet.handed):
            puppet.answer(attempt, "sent")
        puppet.until_handed(1001)
    assert puppet.order.index(urgent) < 100
    assert set(puppet.order) == {urgent, *campaign}


def test_urgent_one_overtakes_what_an_outage_has_left(
    database_url: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the outage has lasted for several polls."""
    looks: list[object] = []
    begin_again = vigil.Vigil.begin_again

    def counted(one: vigil.Vigil, connection: psycopg.Connection) -> None:
        begin_again(one, connection)
        looks.append(one)

    monkeypatch.setattr(vigil.Vigil, "begin_again", counted)
    _enqueue(account, list(range(80)))
    puppet = Puppet()
    puppet.accepts, puppet.capacity = False, 10
    with driven(database_url, puppet, window=FULL, poll_seconds=0.1):
        until(lambda: len(looks) > 2, "several polls have passed")
        urgent = account.enqueue(5000, priority=10)
        until(lambda: len(looks) > 4, "it is known")
        puppet.turn("connected")
        puppet.until_handed(81)
    assert puppet.order[0] == urgent


def test_failing_recipient_holds_up_nobody_else(database_url: str, account: Account) -> None:
    """It waits for its retry, in order; all others go on, also those behind a full window of it."""
    failing = _enqueue(account, [1] * 150)
    others = _enqueue(account, [2, 3, 4])
    puppet = Puppet()
    puppet.answers = False
    with driven(database_url, puppet, window=FULL):
        puppet.until_handed(4)
        account.connection.execute("update outbox.policy set retry_after = '1 s'")
        puppet.answers = True
        for attempt in list(puppet.handed):
            fails = attempt.notification == failing[0]
            puppet.answer(attempt, "failed" if fails else "sent", "error" if fails else None)
        more = _enqueue(account, [2, 3, 5])
        until(lambda: account.row(more[-1]).state == "sent", "the others go on")
        assert all(account.row(id_).state == "sent" for id_ in (*others, *more))
        assert account.row(failing[0]).state == "pending"
        until(lambda: account.row(failing[-1]).state == "sent", "it goes on")
    mine = [id_ for id_ in puppet.order if id_ in set(failing)]
    assert mine == [failing[0], *failing]


def test_retry_comes_after_its_delay_which_doubles(database_url: str, account: Account) -> None:
    """By the database's clock; a success ends the row of failures."""
    puppet = Puppet()
    puppet.answers = False
    with driven(database_url, puppet):
        notification = account.enqueue()
        for number in range(1, 4):
            attempt = puppet.until_handed(number)[-1]
            puppet.answer(attempt, "failed", "server returned error 479")
        attempt = puppet.until_handed(4)[-1]
        puppet.answer(attempt, "sent")
        until(lambda: account.row(notification).state == "sent", "it is sent")
    times = account.connection.execute(
        "select type, extract(epoch from recorded_at)::float8,"
        " extract(epoch from (data->>'retry_at')::timestamptz)::float8 from outbox.event"
        " where stream = %s order by version",
        (notification,),
    ).fetchall()
    retry_at = [due for kind, _, due in times if kind == "attempt_failed"]
    again = [at for kind, at, _ in times if kind == "attempt_started"][1:]
    assert all(at >= due for at, due in zip(again, retry_at, strict=True))
    failed = [at for kind, at, _ in times if kind == "attempt_failed"]
    delays = [due - at for due, at in zip(retry_at, failed, strict=True)]
    # Counted from the statement that records the failure, which takes a moment itself.
    for delay, least in zip(delays, (0.1, 0.2, 0.4), strict=True):
        assert 0.5 * least < delay <= least
    counters = account.recipient_of(notification)
    assert counters
    assert (counters.failures, counters.failed_attempts, counters.waits) == (0, 3, False)


def test_what_was_not_sent_at_all_keeps_its_place_after_a_failure(
    database_url: str, account: Account
) -> None:
    """The wait of an earlier failure is over; nothing of the recipient overtakes."""
    first, second = account.enqueue(), account.enqueue()
    puppet = Puppet()
    puppet.answers = False
    with driven(database_url, puppet):
        puppet.answer(puppet.until_handed(1)[-1], "failed", "server returned error 479")
        puppet.answer(puppet.until_handed(2)[-1], "not_sent")
        puppet.until_handed(3)
        puppet.answers = True
        puppet.answer(puppet.handed[-1], "sent")
        until(lambda: account.row(second).state == "sent", "both are sent")
    assert puppet.order == [first, first, first, second]
    assert account.row(first).failures == 1


def test_exhausted_one_is_a_dead_letter_and_the_next_goes_on(
    database_url: str, account: Account
) -> None:
    """After its last attempt it can be read, and requeued."""
    account.connection.execute("update outbox.policy set retry_after = '10 ms'")
    first = account.enqueue(max_attempts=2)
    second = account.enqueue()
    puppet = Puppet()
    puppet.answers = False
    with driven(database_url, puppet):
        for number in (1, 2):
            puppet.answer(puppet.until_handed(number)[-1], "failed", "no")
        puppet.answers = True
        puppet.answer(puppet.until_handed(3)[-1], "sent")
        until(lambda: account.row(first).state == "exhausted", "the first has ended")
        until(lambda: account.row(second).state == "sent", "the second is sent")
        account.requeue(first)
        until(lambda: account.row(first).state == "sent", "it is sent in the end")


def test_not_before_its_time(database_url: str, account: Account) -> None:
    """`send_at` is kept, and what is due goes on meanwhile."""
    at = datetime.now(UTC) + timedelta(seconds=1.5)
    later = account.enqueue(1, send_at=at.isoformat())
    now = account.enqueue(1)
    puppet = Puppet()
    with driven(database_url, puppet):
        until(lambda: account.row(now).state == "sent", "what is due is sent")
        assert account.row(later).state == "pending"
        soon = account.enqueue(2, send_at=(at - timedelta(seconds=0.1)).isoformat())
        until(lambda: account.row(later).state == "sent", "it is sent in its time")
    assert puppet.order == [now, soon, later]
    row = account.connection.execute(
        "select recorded_at >= %s from outbox.event where stream = %s and type = 'attempt_started'",
        (at, later),
    ).fetchone()
    assert row == (True,)


def test_cancelled_while_queued_is_not_sent(database_url: str, account: Account) -> None:
    """Although it is in the owner's memory."""
    kept, cancelled, after = account.enqueue(), account.enqueue(), account.enqueue()
    puppet = Puppet()
    puppet.answers = False
    with driven(database_url, puppet):
        attempt = puppet.until_handed(1)[0]
        account.cancel(cancelled)
        puppet.answers = True
        puppet.answer(attempt, "sent")
        until(lambda: account.row(after).state == "sent", "the one after it is sent")
    assert puppet.order == [kept, after]
    assert account.row(cancelled).state == "cancelled"


def test_expired_while_queued_is_not_sent(database_url: str, account: Account) -> None:
    """An attempt never starts too late, whether the job that ends it has run or not."""
    late, after = account.enqueue(expires_in="200 ms"), account.enqueue()
    puppet = Puppet()
    puppet.accepts = False
    with driven(database_url, puppet):
        _waits_for_its_connection(puppet)
        account.connection.execute("select pg_sleep(0.3)")
        puppet.turn("connected")
        until(lambda: account.row(after).state == "sent", "the next one is sent")
    assert puppet.order == [after]
    assert account.connection.execute("select outbox.expire()").fetchone() == (1,)
    assert account.story(late) == ["enqueued", "expired"]


def test_reference_to_what_was_sent_becomes_its_message(
    database_url: str, account: Account
) -> None:
    """A reply names one of ours by its id, and the session gets WhatsApp's."""
    asked = account.enqueue()
    reply = account.enqueue(
        content={"kind": "text", "text": "and now?", "quote": {"notification": str(asked)}}
    )
    puppet = Puppet()
    with driven(database_url, puppet):
        until(lambda: account.row(reply).state == "sent", "both are sent")
    assert puppet.handed[1].content["quote"] == {
        "message_id": account.row(asked).message_id,
        "from_me": True,
    }


def test_reference_to_what_was_never_sent_is_rejected(database_url: str, account: Account) -> None:
    """It says of which, and the recipient goes on."""
    never = account.enqueue()
    account.cancel(never)
    reply = account.enqueue(
        content={"kind": "reaction", "emoji": "👍", "message": {"notification": str(never)}}
    )
    after = account.enqueue()
    puppet = Puppet()
    with driven(database_url, puppet):
        until(lambda: account.row(after).state == "sent", "the next one is sent")
    assert puppet.order == [after]
    assert account.row(reply).state == "rejected"
    assert str(never) in (account.row(reply).last_error or "")


def test_erased_content_is_rejected(database_url: str, account: Account) -> None:
    """Who has been forgotten gets nothing any more, and holds up nobody."""
    erased, after = account.enqueue(content={"kind": "text", "text": "secret"}), account.enqueue()
    account.connection.execute("delete from outbox.content where body->>'text' = 'secret'")
    puppet = Puppet()
    with driven(database_url, puppet):
        until(lambda: account.row(after).state == "sent", "the next one is sent")
    assert account.row(erased).last_error == "its content has been erased"


def test_session_gets_media_by_their_digest(database_url: str, account: Account) -> None:
    """In chunks, from a connection of their own, which is closed again."""
    picture = bytes(range(256)) * 3000
    row = account.connection.execute(
        "select outbox.store_media(%s, 'image/png')", (picture,)
    ).fetchone()
    assert row
    account.enqueue(content={"kind": "image", "media": row[0]})
    puppet = Puppet()
    with driven(database_url, puppet):
        attempt = puppet.until_handed(1)[0]
        assert puppet.media
        stored = puppet.media(attempt.content["media"])
        chunks = list(stored.chunks)
        with pytest.raises(KeyError):
            puppet.media("0" * 64)
        account.connection.execute("delete from outbox.media")
        with pytest.raises(KeyError):
            list(puppet.media(attempt.content["media"]).chunks)
    assert (stored.mime, stored.size) == ("image/png", len(picture))
    assert b"".join(chunks) == picture
    assert max(map(len, chunks)) < len(picture)
