"""Forgetting a person: nothing of them is left in the database, and the log is whole."""

import hashlib
import threading
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from outbox.errors import InvalidOption, InvalidRecipient, UnknownRecipient, WrongState
from outbox.log import forgetting, replay
from outbox.log.intake import store_media
from outbox.log.seal import seal
from outbox.log.store import SCHEMA
from outbox.log.verify import Verification, verify
from tests.account import Account
from tests.restoring import dump
from tests.whatsapp.device import create_store, pair_device

ANN, BEN, CAT = (f"+4477009000{n:02}" for n in (1, 2, 3))
LID = "189000111222333"
PNG = b"\x89PNG\r\n\x1a\n of Ann alone"
SHARED = b"\x89PNG\r\n\x1a\n of everybody"


def text(words: str) -> dict[str, str]:
    """Return the body of a text."""
    return {"kind": "text", "text": words}


def image(digest: str, caption: str) -> dict[str, str]:
    """Return the body of an image."""
    return {"kind": "image", "media": digest, "caption": caption}


def bodies(connection: psycopg.Connection) -> int:
    """Return how many bodies are held."""
    row = connection.execute("select count(*) from outbox.content").fetchone()
    assert row
    return int(row[0])


def rows_of_whatsmeow(connection: psycopg.Connection, number: str, lid: str) -> None:
    """Let whatsmeow know a person under a number and a lid, as it does after some messages."""
    ours = "31660000001:5@s.whatsapp.net"
    pair_device(connection, SCHEMA, ours)
    key = hashlib.sha256(number.encode()).digest()
    for table, columns, rows in (
        ("lid_map", "lid, pn", [(lid, number)]),
        ("contacts", "our_jid, their_jid, push_name", [(ours, f"{number}@s.whatsapp.net", "Ann")]),
        ("chat_settings", "our_jid, chat_jid", [(ours, f"{lid}@lid")]),
        (
            "sessions",
            "our_jid, their_id, session",
            [(ours, f"{number}:0", key), (ours, f"{lid}_1:3", key)],
        ),
        ("identity_keys", "our_jid, their_id, identity", [(ours, f"{lid}_1:0", key)]),
        (
            "sender_keys",
            "our_jid, chat_id, sender_id, sender_key",
            [(ours, "120363041234567890@g.us", f"{lid}_1:3", key)],
        ),
        (
            "message_secrets",
            "our_jid, chat_jid, sender_jid, message_id, key",
            [(ours, f"{lid}@lid", ours, f"3EB0{number}"[:8], key)],
        ),
        (
            "privacy_tokens",
            "our_jid, their_jid, token, timestamp",
            [(ours, f"{number}@s.whatsapp.net", key, 1)],
        ),
        (
            "retry_buffer",
            "our_jid, chat_jid, message_id, format, plaintext, timestamp",
            [(ours, f"{lid}@lid", "3EB0", "waMessage", key, 1)],
        ),
    ):
        for row in rows:
            insert = sql.SQL("insert into {} ({}) values ({})").format(
                sql.Identifier(SCHEMA, f"whatsmeow_{table}"),
                sql.SQL(", ").join(map(sql.Identifier, columns.split(", "))),
                sql.SQL(", ").join(sql.Placeholder() * len(row)),
            )
            connection.execute(insert, row)


def test_nothing_of_a_person_is_left(connection: psycopg.Connection, database_url: str) -> None:
    """A dump of the whole database has neither number, lid, body, media nor key any more."""
    create_store(database_url, SCHEMA)
    number = ANN.removeprefix("+")
    rows_of_whatsmeow(connection, number, LID)
    account = Account.owned(connection)
    hers, everybodys = (store_media(connection, data, "image/png") for data in (PNG, SHARED))
    sent = account.enqueue(recipient=ANN, content=text("ann's secret"), idempotency_key="ann-7")
    account.send(sent, "sent", "3EB0A1")
    account.receive(("3EB0A1", "read"))
    failed = account.enqueue(recipient=ANN, content=image(hers, "ann's picture"))
    account.send(failed, "failed")
    unknown = account.enqueue(recipient=f"{LID}@lid", content=text("ann by her lid"))
    account.send(unknown, "unknown", "3EB0A2")
    account.enqueue(recipient=ANN, content=image(everybodys, "of us all"))
    account.enqueue(recipient=ANN, content=text("hello both"))
    kept = [
        account.enqueue(recipient=BEN, content=body)
        for body in (text("hello both"), image(everybodys, "for ben"), text("ben's own"))
    ]
    before = dump(database_url)
    for trace in (number, LID, "ann's secret", "ann's picture", "ann-7", PNG.hex()):
        assert trace.encode() in before, trace

    found = forgetting.forget(connection, ANN, "asked by letter")

    assert found == forgetting.Forgotten(
        erased=True,
        cancelled=4,
        sending=0,
        contents=4,
        media=1,
        keys=1,
        whatsapp=10,
        named_elsewhere=0,
    )
    after = dump(database_url)
    for trace in (number, LID, "ann's secret", "ann's picture", "ann by her lid", "ann-7"):
        assert trace.encode() not in after, trace
    assert PNG.hex().encode() not in after
    for trace in (BEN.removeprefix("+"), "hello both", "for ben", "ben's own", SHARED.hex()):
        assert trace.encode() in after, trace
    assert account.start(*kept) == kept


def test_the_log_and_the_counters_stay(connection: psycopg.Connection) -> None:
    """No event changes, what happened is told by new ones, and a replay gives the projections."""
    account = Account.owned(connection)
    sent, failed, waits = (account.enqueue(recipient=ANN) for _ in range(3))
    account.send(sent, "sent", "A")
    account.send(failed, "failed")
    events = "select to_jsonb(e) from outbox.event e where position <= %s order by position"
    last = connection.execute("select max(position) from outbox.event").fetchone()
    assert last
    before = connection.execute(events, last).fetchall()
    counters = connection.execute("select * from outbox.recipient").fetchall()

    assert len(list(seal(connection))) == 1
    forgetting.forget(connection, ANN, "asked", {"token": "desk"})
    assert len(list(seal(connection))) == 1
    result = Verification()
    assert list(verify(connection, result)) == []
    number = connection.execute("select count(*)::integer from outbox.event").fetchone()
    assert number == (result.events,)

    assert connection.execute(events, last).fetchall() == before
    assert connection.execute("select * from outbox.recipient").fetchall() == counters
    assert account.story(waits) == ["enqueued", "cancelled"]
    assert account.data(waits, 2) == {"reason": "the recipient is forgotten"}
    told = connection.execute(
        "select e.account, e.version, e.data - 'recipient', e.metadata, s.forgotten_at is not null"
        " from outbox.event e join outbox.suppression s using (stream) where type = 'forgotten'"
    ).fetchall()
    assert told == [("*", 1, {"reason": "asked"}, {"token": "desk"}, True)]
    with replay.scratch(connection) as schema:
        assert list(replay.differences(connection, schema)) == []


def test_who_is_written_to_again_is_somebody_new(connection: psycopg.Connection) -> None:
    """The number gets another id, which nothing connects with the one in the log."""
    account = Account.owned(connection)
    first = account.enqueue(recipient=ANN, idempotency_key="k")
    forgetting.forget(connection, ANN)
    second = account.enqueue(recipient=ANN, idempotency_key="k")
    assert first != second
    ids = connection.execute(
        "select count(distinct recipient) from outbox.notification where id = any (%s)",
        ([first, second],),
    ).fetchone()
    assert ids == (2,)
    assert account.start(second) == [second]


def test_what_is_being_sent_ends_first(connection: psycopg.Connection) -> None:
    """Nothing is erased meanwhile, but nothing more begins: what was pending is cancelled."""
    account = Account.owned(connection)
    sending, waits = account.enqueue(recipient=ANN), account.enqueue(recipient=ANN)
    assert account.start(sending) == [sending]
    found = forgetting.forget(connection, ANN)
    assert (found.erased, found.sending, found.cancelled) == (False, 1, 1)
    assert account.row(waits).state == "cancelled"
    assert bodies(connection) == 1
    with pytest.raises(WrongState, match="1 of the recipient's are being sent") as refused:
        forgetting.forget_within(connection, ANN, 0)
    assert refused.value.rule == "cannot_forget"
    account.record(sending, "sent", "A")
    assert forgetting.forget_within(connection, ANN, 0).erased
    assert bodies(connection) == 0


def test_what_is_enqueued_during_the_search_is_forgotten_too(
    connection: psycopg.Connection, database_url: str
) -> None:
    """Whoever has read the bodies before the lock is waited for, and what they did is seen."""
    account = Account(connection)
    first = account.enqueue(recipient=ANN, content=text("first"))
    late: list[UUID] = []
    with psycopg.connect(database_url) as other, psycopg.connect(database_url) as beside:
        # Holds up the search, which begins with what it finds of the notifications.
        other.execute("lock table outbox.idempotency in exclusive mode")
        found: list[forgetting.Forgotten] = []

        def forget() -> None:
            with psycopg.connect(database_url, autocommit=True) as forgetter:
                found.append(forgetting.forget_within(forgetter, ANN, 60))

        thread = threading.Thread(target=forget)
        thread.start()
        while (
            thread.is_alive()
            and not connection.execute(
                "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'forget'"
            ).fetchone()
        ):
            pass
        late.append(Account(beside).enqueue(recipient=ANN, content=text("late")))
        beside.commit()
        other.rollback()
        thread.join()
    assert found[0].erased
    assert bodies(connection) == 0
    assert account.row(first).state == account.row(late[0]).state == "cancelled"


@pytest.mark.parametrize("by", ["id", "jid"])
def test_a_person_is_named_in_any_way(connection: psycopg.Connection, by: str) -> None:
    """By the id that the log has, or by a JID."""
    Account.owned(connection).enqueue(recipient=ANN)
    row = connection.execute("select recipient::text, jid from outbox.identity").fetchone()
    assert row
    assert forgetting.forget(connection, {"id": row[0], "jid": row[1]}[by]).erased


def test_nobody_is_forgotten_twice(connection: psycopg.Connection) -> None:
    """Of whom nothing is held there is nothing to erase, and what is no recipient is refused."""
    account = Account.owned(connection)
    notification = account.enqueue(recipient=ANN)
    row = connection.execute("select recipient::text from outbox.notification").fetchone()
    assert row
    forgetting.forget(connection, ANN)
    for nobody in (ANN, row[0], BEN, str(uuid4())):
        with pytest.raises(UnknownRecipient):
            forgetting.forget(connection, nobody)
    with pytest.raises(InvalidRecipient):
        forgetting.forget(connection, "ann")
    assert account.story(notification) == ["enqueued", "cancelled"]


@pytest.mark.parametrize("function", ["enqueue", "enqueue_batch"])
def test_metadata_with_the_number_are_refused(
    connection: psycopg.Connection, function: str
) -> None:
    """The log would keep it; a number that only contains it is another one."""
    given = {"customer": {"phone": "+44 " + ANN}}
    fine = {"order": f"7{ANN[1:]}", "at": 7}

    def enqueue(metadata: dict[str, object]) -> None:
        if function == "enqueue_batch":
            Account(connection).enqueue(recipient=ANN, metadata=metadata)
            return
        connection.execute(
            "select outbox.enqueue(%s, %s, metadata => %s)",
            (ANN, Jsonb(text("hello")), Jsonb(metadata)),
        )

    with pytest.raises(InvalidOption) as refused:
        enqueue(dict(given))
    assert refused.value.rule == "personal_metadata"
    enqueue(dict(fine))


def test_bodies_for_others_that_name_the_number_are_told_of(connection: psycopg.Connection) -> None:
    """They are others' messages, and stay."""
    account = Account.owned(connection)
    account.enqueue(recipient=ANN)
    account.enqueue(recipient=BEN, content={"kind": "contact", "name": "Ann", "number": ANN})
    account.enqueue(recipient=CAT, content=text(f"call {ANN}"))
    assert forgetting.forget(connection, ANN).named_elsewhere == 2
    assert bodies(connection) == 2


def test_a_requeued_one_needs_its_body_and_its_recipient(connection: psycopg.Connection) -> None:
    """Whoever is forgotten is not written to by mistake: the refusal says what is missing."""
    account = Account.owned(connection)
    notification = account.enqueue(recipient=ANN)
    account.enqueue(recipient=BEN)
    forgetting.forget(connection, ANN)
    with pytest.raises(WrongState) as refused:
        account.requeue(notification)
    assert refused.value.rule == "erased"
    assert str(notification) in refused.value.message


def test_an_open_transaction_that_has_read_bodies_is_not_waited_for(
    connection: psycopg.Connection, database_url: str
) -> None:
    """Nobody is held up: it is refused as a whole, and goes through when that has ended."""
    account = Account.owned(connection)
    waits = account.enqueue(recipient=ANN)
    with psycopg.connect(database_url) as other:
        other.execute("select from outbox.content")
        with pytest.raises(WrongState) as refused:
            forgetting.forget(connection, ANN)
        assert refused.value.rule == "cannot_forget"
        assert account.row(waits).state == "pending"
    assert forgetting.forget(connection, ANN).erased


def test_a_transaction_that_does_not_see_the_others_is_refused(
    connection: psycopg.Connection, database_url: str
) -> None:
    """It would not know what was enqueued while it waited."""
    Account(connection).enqueue(recipient=ANN)
    with psycopg.connect(database_url) as other:
        other.execute("set transaction isolation level repeatable read")
        with pytest.raises(WrongState, match="not read committed"):
            forgetting.forget(other, ANN)


def test_a_body_that_is_enqueued_for_another_meanwhile_is_kept(
    connection: psycopg.Connection, database_url: str
) -> None:
    """Whoever enqueues the same body beside the erasing finds it or stores it again."""
    account = Account.owned(connection)
    body = text("shared by chance")
    account.enqueue(recipient=ANN, content=body)
    enqueued: list[UUID] = []

    def enqueue() -> None:
        with psycopg.connect(database_url, autocommit=True) as other:
            enqueued.append(Account(other).enqueue(recipient=BEN, content=body))

    with psycopg.connect(database_url) as forgetter:
        forgetting.forget(forgetter, ANN)
        thread = threading.Thread(target=enqueue)
        thread.start()
        while (
            thread.is_alive()
            and not connection.execute(
                "select 1 from pg_stat_activity"
                " where wait_event_type = 'Lock' and query ~ 'enqueue'"
            ).fetchone()
        ):
            pass
        forgetter.commit()
        thread.join()
    held = connection.execute(
        "select c.body from outbox.notification n join outbox.content c on c.digest = n.content"
        " where n.id = %s",
        (enqueued[0],),
    ).fetchall()
    assert held == [(body,)]
