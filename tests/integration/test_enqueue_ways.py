"""Every way in: what one transaction enqueues, it enqueues with everything else it does."""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import Column, MetaData, Table, Text, Uuid, create_engine, insert, select
from sqlalchemy.orm import Session

from outbox import (
    IdempotencyConflict,
    Notification,
    UnusableMedia,
    digest,
    enqueue,
    enqueue_many,
    store_media,
)
from tests.enqueue_ways import WAYS, Way, driver

if TYPE_CHECKING:
    from outbox.caller.executable import Executable

TO = "+44 7700 900123"
PNG = b"\x89PNG\r\n\x1a\n"
TABLES = ("event", "notification", "recipient", "identity", "content", "media", "idempotency")

ways = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


def counts(connection: psycopg.Connection) -> dict[str, int]:
    """Return how many rows each table has that an enqueue writes to."""
    found = {}
    for table in TABLES:
        query = psycopg.sql.SQL("select count(*) from outbox.{}").format(
            psycopg.sql.Identifier(table)
        )
        row = connection.execute(query).fetchone()
        assert row is not None
        found[table] = row[0]
    return found


@ways
def test_a_commit_makes_one(way: Way, database_url: str, connection: psycopg.Connection) -> None:
    """The id that the statement gives is the notification's, which is there after the commit."""
    (id_,) = way(database_url, [enqueue(to=TO, text="hello")], "commit")
    assert isinstance(id_, UUID)
    query = "select id, state, account from outbox.notification"
    assert connection.execute(query).fetchall() == [(id_, "pending", "main")]


@ways
def test_a_rollback_leaves_nothing(
    way: Way, database_url: str, connection: psycopg.Connection
) -> None:
    """Neither a notification nor anything beside it: recipient, body, media, key."""
    before = counts(connection)
    statements: list[Executable[Any]] = [
        enqueue(to=TO, media=PNG, mime="image/png", idempotency_key="a"),
        enqueue_many([Notification(to=TO, text="hello", idempotency_key="b")]),
        store_media(b"%PDF", "application/pdf"),
    ]
    assert len(way(database_url, statements, "rollback")) == 3
    assert counts(connection) == before
    assert set(before.values()) == {0}


@ways
def test_every_option_arrives(way: Way, database_url: str, connection: psycopg.Connection) -> None:
    """One at a time and in a batch, an option means the same, whatever executes it."""
    send_at = datetime(2190, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    options: dict[str, Any] = {
        "priority": -7,
        "send_at": send_at,
        "expires_in": timedelta(days=1, seconds=2, microseconds=3),
        "max_attempts": 3,
        "on_unknown": "hold",
        "retry_after": timedelta(seconds=1.5),
        "retry_limit": timedelta(hours=30),
        "metadata": {"order": 7, "mark": "%s' \\ é 👍"},
    }
    statements: list[Executable[Any]] = [
        enqueue(to=TO, text="it's 100 %", account="shop", idempotency_key="one", **options),
        enqueue_many(
            [Notification(to=TO, text="it's 100 %", idempotency_key="two", **options)],
            account="shop",
        ),
    ]
    ids = way(database_url, statements, "commit")
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "select n.id, n.account, n.priority, due_at, expires_at, max_attempts, on_unknown, "
            "  retry_after, retry_limit, body, metadata, key, jid "
            "from outbox.notification n join outbox.identity i using (recipient) "
            "  join outbox.content c on c.digest = n.content "
            "  join outbox.idempotency k on k.notification = n.id "
            "  join (select stream, metadata from outbox.event) e on e.stream = n.id order by key"
        ).fetchall()
    assert [row.pop("id") for row in rows] == ids
    assert [row.pop("key") for row in rows] == ["one", "two"]
    expected = {
        "account": "shop",
        "priority": -7,
        "due_at": send_at,
        "expires_at": send_at + options["expires_in"],
        "max_attempts": 3,
        "on_unknown": "hold",
        "retry_after": options["retry_after"],
        "retry_limit": options["retry_limit"],
        "body": {"kind": "text", "text": "it's 100 %"},
        "metadata": options["metadata"],
        "jid": "447700900123@s.whatsapp.net",
    }
    assert rows == [expected, expected]


@ways
def test_the_database_refuses_as_python_does(
    way: Way, database_url: str, connection: psycopg.Connection
) -> None:
    """What only the database can judge arrives as the same kind of exception, unwrapped."""
    way(database_url, [enqueue(to=TO, text="hello", idempotency_key="order-7")], "commit")
    before = counts(connection)
    for statement in (
        enqueue(to=TO, text="goodbye", idempotency_key="order-7"),
        enqueue_many([{"to": TO, "text": "goodbye", "idempotency_key": "order-7"}]),
    ):
        with pytest.raises(IdempotencyConflict) as caught:
            way(database_url, [enqueue(to=TO, text="before"), statement], "commit")
        assert caught.value.rule == "idempotency_conflict"
        assert caught.value.sqlstate == "23O01"
        assert "order-7" in caught.value.message
        assert "Use a key of its own" in caught.value.hint
    assert counts(connection) == before


@ways
def test_media_are_stored_and_enqueued_by_one_statement(
    way: Way, database_url: str, connection: psycopg.Connection
) -> None:
    """Every byte arrives, and the content names them by their digest."""
    data = bytes(range(256)) * 100
    way(database_url, [enqueue(to=TO, media=data, mime="image/png", text="Look")], "commit")
    stored = connection.execute("select data, mime, body from outbox.media, outbox.content")
    body = {"kind": "image", "media": digest(data), "caption": "Look"}
    assert stored.fetchall() == [(data, "image/png", body)]


@ways
def test_albums_are_stored_and_enqueued_by_one_statement(
    way: Way, database_url: str, connection: psycopg.Connection
) -> None:
    """Each item names its own media, whatever their order; the same twice is stored once."""
    pictures = [bytes([nth]) * 100 for nth in (3, 1, 2, 1)]
    statement = enqueue(to=TO, media=pictures, mime="image/png", text="Look")
    way(database_url, [statement], "commit")
    row = connection.execute("select body from outbox.content").fetchone()
    items = [{"media": digest(data)} for data in pictures]
    items[0]["caption"] = "Look"
    assert row == ({"kind": "album", "items": items},)
    stored = connection.execute("select data from outbox.media order by data").fetchall()
    assert stored == [(bytes([nth]) * 100,) for nth in (1, 2, 3)]


@ways
def test_media_for_many_are_stored_once(
    way: Way, database_url: str, connection: psycopg.Connection
) -> None:
    """Bytes travel once however many recipients they have, and are one row however often sent."""
    image = {"kind": "image", "media": digest(PNG)}
    many = [Notification(to=f"+4477009001{n:02}", content=image) for n in range(20)]
    found = way(
        database_url,
        [store_media(PNG, "image/png"), store_media(PNG, "image/png"), enqueue_many(many)],
        "commit",
    )
    assert found[:2] == [digest(PNG)] * 2
    made = counts(connection)
    assert (made["media"], made["content"], made["notification"]) == (1, 1, 20)


def test_a_savepoint_in_psycopg(connection: psycopg.Connection) -> None:
    """What a savepoint takes back is gone, what surrounds it stays."""
    with connection.transaction():
        connection.execute(enqueue(to=TO, text="stays"))
        with contextlib.suppress(IdempotencyConflict), connection.transaction():
            connection.execute(enqueue(to=TO, text="goes", idempotency_key="a"))
            connection.execute(enqueue(to=TO, text="is refused", idempotency_key="a"))
    bodies = connection.execute("select body->>'text' from outbox.content").fetchall()
    assert bodies == [("stays",)]
    assert counts(connection)["idempotency"] == 0


def test_a_savepoint_in_sqlalchemy(database_url: str, connection: psycopg.Connection) -> None:
    """A refusal within begin_nested leaves the session's transaction usable."""
    engine = create_engine(driver(database_url))
    with Session(engine) as session:
        session.execute(enqueue(to=TO, text="stays"))
        with contextlib.suppress(IdempotencyConflict), session.begin_nested():
            session.execute(enqueue(to=TO, text="goes", idempotency_key="a"))
            session.execute(enqueue(to=TO, text="is refused", idempotency_key="a"))
        session.commit()
    engine.dispose()
    assert counts(connection)["notification"] == 1


def test_an_id_within_the_callers_own_statement(
    database_url: str, connection: psycopg.Connection
) -> None:
    """As a Select it can be part of another statement, such as the insert of the caller's row."""
    connection.execute("create table orders (name text, notification uuid)")
    table = Table("orders", MetaData(), Column("name", Text), Column("notification", Uuid))
    engine = create_engine(driver(database_url))
    with engine.begin() as open_:
        values = {"name": "a", "notification": enqueue(to=TO, text="hello").scalar_subquery()}
        open_.execute(insert(table).values(values))
        (kept,) = open_.execute(select(table.c.notification)).scalars()
    engine.dispose()
    assert connection.execute("select id from outbox.notification").fetchall() == [(kept,)]


def test_psycopg_in_pipeline_mode(connection: psycopg.Connection) -> None:
    """Many statements in one round trip are fine, too."""
    with connection.pipeline(), connection.transaction():
        cursors = [connection.execute(enqueue(to=TO, text=str(n))) for n in range(3)]
        ids = [cursor.fetchall()[0][0] for cursor in cursors]
    assert len(set(ids)) == counts(connection)["notification"] == 3


def test_rows_of_the_callers_own_shape(database_url: str) -> None:
    """A connection's row factory is the caller's business: the column has a name."""
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        row = connection.execute(enqueue(to=TO, text="hello")).fetchone()
        media = connection.execute(store_media(PNG, "image/png")).fetchone()
    assert row is not None
    assert list(row) == ["id"]
    assert media == {"digest": digest(PNG)}


def test_a_statement_can_be_executed_again(connection: psycopg.Connection) -> None:
    """With a key it makes one, without a key another one each time."""
    keyed, keyless = enqueue(to=TO, text="a", idempotency_key="a"), enqueue(to=TO, text="a")
    ids = [connection.execute(one).fetchone() for one in (keyed, keyed, keyless, keyless)]
    assert ids[0] == ids[1]
    assert len(set(ids)) == counts(connection)["notification"] == 3


def test_the_first_mime_type_of_media_stays(connection: psycopg.Connection) -> None:
    """Bytes have one type; who gives them another one later is told if it does not fit."""
    connection.execute(store_media(PNG, "application/octet-stream"))
    with pytest.raises(UnusableMedia, match="application/octet-stream for image"):
        connection.execute(enqueue(to=TO, media=PNG, mime="image/png"))
