"""Bodies that go by themselves: so long after they were sent as the account's policy says."""

import hashlib
import json
from typing import Any

import psycopg
import pytest

from outbox.errors import IdempotencyConflict, WrongState
from outbox.log import replay
from outbox.log.intake import store_media
from outbox.log.upkeep import erase_bodies
from tests.account import HELLO, Account


def kept(connection: psycopg.Connection) -> list[Any]:
    """Return the bodies that are held."""
    return [body for (body,) in connection.execute("select body from outbox.content").fetchall()]


def soon(connection: psycopg.Connection) -> None:
    """Let the time of every body be looked at now."""
    connection.execute(
        "update outbox.content set erase_at = '-infinity' where erase_at is not null"
    )


def code(number: int) -> dict[str, str]:
    """Return a one-time code."""
    return {"kind": "text", "text": f"Your code is {number}."}


def test_a_body_goes_when_its_time_is_over(connection: psycopg.Connection) -> None:
    """After it was sent or has ended, and not while it is still to be sent; the log stays."""
    account = Account.owned(connection)
    account.policy(erase_after="0")
    sent, dead, waits, unknown = (account.enqueue(content=code(n)) for n in range(4))
    account.send(sent, "sent", "A")
    account.send(dead, "rejected")
    account.send(unknown, "unknown", "B")
    assert erase_bodies(connection) == 2
    assert sorted(one["text"] for one in kept(connection)) == [
        "Your code is 2.",
        "Your code is 3.",
    ]
    assert account.start(waits) == [waits]
    account.record(waits, "sent", "C")
    account.cancel(unknown)
    soon(connection)
    assert erase_bodies(connection) == 2
    assert kept(connection) == []
    assert account.story(sent) == ["enqueued", "attempt_started", "sent"]
    with replay.scratch(connection) as schema:
        assert list(replay.differences(connection, schema)) == []


def test_a_body_stays_for_its_time(connection: psycopg.Connection) -> None:
    """Counted from when it was sent: what was looked at too early is looked at then."""
    account = Account.owned(connection)
    account.policy(erase_after="1 hour")
    notification = account.enqueue(content=code(1))
    account.send(notification, "sent", "A")
    soon(connection)
    assert erase_bodies(connection) == 0
    exact = connection.execute(
        "select c.erase_at = n.sent_at + interval '1 hour'"
        " from outbox.content c join outbox.notification n on n.id = c.notification"
    ).fetchone()
    assert exact == (True,)
    assert erase_bodies(connection) == 0
    assert kept(connection) == [code(1)]


def test_without_a_policy_nothing_goes(connection: psycopg.Connection) -> None:
    """It is kept, shared, and under the digest of the body alone."""
    account = Account.owned(connection)
    for number in (1, 2):
        account.send(account.enqueue(number), "sent", f"{number}")
    assert erase_bodies(connection) == 0
    assert kept(connection) == [HELLO]
    row = connection.execute("select digest from outbox.content").fetchone()
    text = connection.execute("select body::text from outbox.content").fetchone()
    assert row
    assert text
    assert row[0] == hashlib.sha256(text[0].encode()).digest()


def test_a_digest_tells_nothing_of_a_code(connection: psycopg.Connection) -> None:
    """Whoever tries out all codes finds none of them in the log: each body has its salt."""
    account = Account(connection)
    account.policy(erase_after="10 minutes")
    account.enqueue(content=code(7))
    account.enqueue(content=code(7))
    connection.execute("select outbox.enqueue('+447700900001', %s::jsonb)", (json.dumps(code(7)),))
    digests = [one for (one,) in connection.execute("select digest from outbox.content").fetchall()]
    assert len(set(digests)) == 3
    row = connection.execute(
        "select sha256(convert_to(%s::jsonb::text, 'UTF8'))", (json.dumps(code(7)),)
    ).fetchone()
    assert row
    assert row[0] not in digests


@pytest.mark.parametrize("function", ["enqueue", "enqueue_batch"])
def test_a_key_stands_for_its_body_while_that_is_there(
    connection: psycopg.Connection, function: str
) -> None:
    """The same gives the first id, another is refused; when it is gone, the key alone counts."""
    account = Account.owned(connection)
    account.policy(erase_after="0")

    def enqueue(number: int) -> object:
        if function == "enqueue_batch":
            return account.enqueue(content=code(number), idempotency_key="k")
        row = connection.execute(
            "select outbox.enqueue('+447700900001', %s::jsonb, idempotency_key => 'k')",
            (json.dumps(code(number)),),
        ).fetchone()
        assert row
        return row[0]

    first = enqueue(1)
    assert enqueue(1) == first
    with pytest.raises(IdempotencyConflict):
        enqueue(2)
    assert kept(connection) == [code(1)]
    connection.execute("select outbox.cancel(%s)", (first,))
    assert erase_bodies(connection) == 1
    assert enqueue(1) == first
    assert kept(connection) == []


def test_media_go_with_the_last_body(connection: psycopg.Connection) -> None:
    """What another body still names stays."""
    account = Account.owned(connection)
    digest = store_media(connection, b"\x89PNG\r\n\x1a\n", "image/png")
    body = {"kind": "image", "media": digest}
    album = {"kind": "album", "items": [{"media": digest}, {"media": digest, "caption": "b"}]}
    account.policy(erase_after="0")
    first, second = account.enqueue(content=body), account.enqueue(content=album)
    media = "select count(*) from outbox.media"
    account.send(first, "sent", "A")
    assert erase_bodies(connection) == 1
    assert connection.execute(media).fetchone() == (1,)
    account.send(second, "sent", "B")
    soon(connection)
    assert erase_bodies(connection) == 1
    assert connection.execute(media).fetchone() == (0,)


def test_media_that_are_about_to_be_named_stay(
    connection: psycopg.Connection, database_url: str
) -> None:
    """An enqueue that is not committed holds them, as a foreign key would."""
    account = Account.owned(connection)
    digest = store_media(connection, b"\x89PNG\r\n\x1a\n", "image/png")
    body = {"kind": "image", "media": digest}
    account.policy(erase_after="0")
    account.send(account.enqueue(content=body), "sent", "A")
    with psycopg.connect(database_url) as other:
        Account(other).enqueue(2, content=body)
        assert erase_bodies(connection) == 1
    assert connection.execute("select count(*) from outbox.media").fetchone() == (1,)


def test_a_dead_letter_without_its_body_is_not_requeued(connection: psycopg.Connection) -> None:
    """The refusal says why."""
    account = Account.owned(connection)
    account.policy(erase_after="0")
    notification = account.enqueue(content=code(1))
    account.send(notification, "rejected")
    erase_bodies(connection)
    with pytest.raises(WrongState, match="Erased meanwhile") as refused:
        account.requeue(notification)
    assert refused.value.rule == "erased"


def test_many_are_taken_in_turns(connection: psycopg.Connection) -> None:
    """A limit at a time, and every one in the end."""
    account = Account.owned(connection)
    account.policy(erase_after="0")
    for number in range(5):
        account.send(account.enqueue(number), "sent", str(number))
    looked = connection.execute("select * from outbox.erase_bodies(2)").fetchone()
    assert looked == (2, 2)
    assert erase_bodies(connection) == 3
