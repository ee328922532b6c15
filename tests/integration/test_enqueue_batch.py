"""Many at once: thousands in one statement, all or none."""

import time
from uuid import RFC_4122, UUID

import psycopg
import pytest

from outbox import IdempotencyConflict, Notification, UnusableMedia, enqueue, enqueue_many

MANY = 5000


def texts(connection: psycopg.Connection) -> list[str]:
    """Return the texts of all notifications, in the order of enqueueing."""
    rows = connection.execute(
        "select body->>'text' from outbox.notification n "
        "join outbox.content c on c.digest = n.content order by n.position"
    )
    return [row[0] for row in rows]


def test_thousands_in_one_statement(connection: psycopg.Connection) -> None:
    """The ids come in the order given, which is the order of the queue."""
    numbered = [(f"+4477009{n:05}", f"hello {n}") for n in range(MANY)]
    many = enqueue_many(Notification(to=to, text=text) for to, text in numbered)
    ids = [row[0] for row in connection.execute(many)]
    found = connection.execute(
        "select n.id, i.jid, c.body->>'text' from outbox.notification n "
        "join outbox.identity i using (recipient) join outbox.content c on c.digest = n.content "
        "order by n.position"
    ).fetchall()
    assert [row[0] for row in found] == ids
    expected = [(f"{to[1:]}@s.whatsapp.net", text) for to, text in numbered]
    assert [row[1:] for row in found] == expected
    log = connection.execute("select count(*), count(distinct xid) from outbox.event").fetchone()
    assert log == (MANY, 1)


def test_none_at_once(connection: psycopg.Connection) -> None:
    """An empty batch gives no rows and writes nothing."""
    assert connection.execute(enqueue_many([])).fetchall() == []
    assert texts(connection) == []


def test_all_or_none(connection: psycopg.Connection) -> None:
    """One that only the database can refuse takes all others along, and is named by its number."""
    missing = {"kind": "image", "media": "0" * 64}
    items = [Notification(to="+447700900123", text=str(n)) for n in range(1000)]
    items[700] = Notification(to="+447700900123", content=missing)
    items[800] = Notification(to="+447700900123", content=missing)
    with pytest.raises(UnusableMedia, match="number 701 of the batch: 0000"):
        connection.execute(enqueue_many(items))
    for table in ("event", "notification", "identity", "content"):
        name = psycopg.sql.Identifier(table)
        count = psycopg.sql.SQL("select count(*) from outbox.{}").format(name)
        assert connection.execute(count).fetchone() == (0,)


def test_keys_in_a_batch(connection: psycopg.Connection) -> None:
    """A key that is known, or came earlier in the batch, gives the first id and makes no other."""
    first = connection.execute(
        enqueue(to="+447700900123", text="a", idempotency_key="a")
    ).fetchone()
    items = [
        Notification(to="+447700900123", text="b", idempotency_key="b"),
        Notification(to="+447700900123", text="c"),
        Notification(to="+44 7700 900123", text="a", idempotency_key="a"),
        Notification(to="+447700900123", text="b", idempotency_key="b"),
        Notification(to="+447700900123", text="c"),
    ]
    ids = connection.execute(enqueue_many(items)).fetchall()
    assert ids[2] == first
    assert ids[0] == ids[3]
    assert len(set(ids)) == 4
    assert texts(connection) == ["a", "b", "c", "c"]
    assert connection.execute(enqueue_many(items)).fetchall()[:4:3] == ids[:4:3]


def test_a_key_in_conflict_is_named(connection: psycopg.Connection) -> None:
    """Within the batch as well as with what was enqueued before: its number and the key."""
    connection.execute(enqueue(to="+447700900123", text="a", idempotency_key="a"))
    other = Notification(to="+447700900124", text="a", idempotency_key="a")
    fine = Notification(to="+447700900123", text="b", idempotency_key="b")
    with pytest.raises(IdempotencyConflict, match="number 2 of the batch: a"):
        connection.execute(enqueue_many([fine, other]))
    with pytest.raises(IdempotencyConflict, match="number 3 of the batch: b"):
        connection.execute(
            enqueue_many(
                [fine, fine, Notification(to="+447700900123", text="c", idempotency_key="b")]
            )
        )
    assert texts(connection) == ["a"]


def test_a_key_is_an_accounts_own(connection: psycopg.Connection) -> None:
    """The same key may stand for something else in another account."""
    for account in ("main", "shop"):
        one = Notification(to="+447700900123", text=account, idempotency_key="a")
        connection.execute(enqueue_many([one], account=account))
    assert texts(connection) == ["main", "shop"]


def test_ids_grow_in_the_order_of_enqueueing(connection: psycopg.Connection) -> None:
    """One after another and within a batch, also many in a millisecond: UUIDs of version 7."""
    ids: list[UUID] = []
    for number in range(50):
        ids += connection.execute(enqueue(to="+447700900123", text=f"{number}")).fetchone() or ()
    many = [Notification(to="+447700900123", text=f"many {number}") for number in range(500)]
    ids += [row[0] for row in connection.execute(enqueue_many(many))]
    assert ids == sorted(ids)
    assert {one.version for one in ids} == {7}
    assert {one.variant for one in ids} == {RFC_4122}
    made = ids[0].int >> 80
    assert abs(made / 1000 - time.time()) < 60
