"""A restore from a dump: what the dump has reaches the receiver, and ids are never used twice."""

from contextlib import ExitStack

import psycopg
import pytest

from outbox.log import restore, webhooks
from outbox.webhooks.sender import Sender
from tests.cli_runner import Session, enqueue
from tests.databases import database
from tests.receiver import Receiver
from tests.restoring import copy_by_dump, shift_transaction_ids
from tests.webhooks import again, in_order, lapse, settle, subscribe


def ids(connection: psycopg.Connection) -> list[str]:
    """Return the ids of the log's events, by position: those of the dump in the first epoch."""
    rows = connection.execute(
        "select (select max(epoch) from outbox.restore_epoch"
        " where restored_through < position or epoch = 1) || '-' || position"
        " from outbox.event order by position"
    )
    return [id_ for (id_,) in rows]


@pytest.mark.parametrize("shift", [0, 30, 1_000_000])
@pytest.mark.parametrize("stage", ["done", "behind", "within a batch", "beside"])
def test_across_a_restore_nothing_is_lost(
    connection: psycopg.Connection,
    database_url: str,
    server_url: str,
    receiver: Receiver,
    shift: int,
    stage: str,
) -> None:
    """Wherever the cursor stood in the dump, and whoever appends before the sender notices.

    The same sender goes on, over a new connection, as a worker would whose database came back.
    """
    subscribe(connection, receiver)
    sender = Sender(inside=True)
    session = Session(connection)
    session.end("sent", enqueue(connection), enqueue(connection, "+447700900124"))
    settle(connection, sender)
    with ExitStack() as stack:
        match stage:
            case "behind":
                session.end("failed", enqueue(connection), error="error 503")
            case "within a batch":
                receiver.fails_after(2)
                for _ in range(5):
                    enqueue(connection)
                settle(connection, sender)
            case "beside":
                slow = stack.enter_context(psycopg.connect(database_url))
                enqueue(slow, "+447700900125")
                enqueue(connection)
                settle(connection, sender)
                slow.commit()
        target = stack.enter_context(database(server_url, f"restored_{shift}", "template0"))
        shift_transaction_ids(connection, shift)
        through = len(ids(connection))
        copy_by_dump(database_url, target)
        new = stack.enter_context(psycopg.connect(target, autocommit=True))
        receiver.status = 204
        lapse(new)
        again(new)
        enqueue(new)
        settle(new, sender)
        Session(new, "other").end("sent", enqueue(new, account="other"))
        settle(new, sender)
        assert restore.begin(new).number == 2
        expected = ids(new)
        assert expected[:through] == [f"1-{position}" for position in range(1, through + 1)]
        assert {one.partition("-")[0] for one in expected[through:]} == {"2"}
    assert sorted(receiver.ids) == sorted(expected)
    assert in_order(receiver)


def test_what_a_restore_has_lost_gives_its_id_to_nothing_else(
    connection: psycopg.Connection, database_url: str, server_url: str, receiver: Receiver
) -> None:
    """A receiver that has seen it takes what has its position now for something new."""
    subscribe(connection, receiver)
    sender = Sender(inside=True)
    enqueue(connection)
    settle(connection, sender)
    with ExitStack() as stack:
        target = stack.enter_context(database(server_url, "restored_lost", "template0"))
        copy_by_dump(database_url, target)
        enqueue(connection)  # and told, and lost
        settle(connection, sender)
        new = stack.enter_context(psycopg.connect(target, autocommit=True))
        lapse(new)
        kept = enqueue(new)
        settle(new, sender)
    assert receiver.ids == ["1-1", "1-2", "2-2"]
    assert receiver.got[-1]["subject"] == str(kept)


def test_a_replay_goes_back_beyond_a_restore(
    connection: psycopg.Connection, database_url: str, server_url: str, receiver: Receiver
) -> None:
    """And each event has the id under which it was told before."""
    subscribe(connection, receiver)
    sender = Sender(inside=True)
    enqueue(connection)
    settle(connection, sender)
    with ExitStack() as stack:
        target = stack.enter_context(database(server_url, "restored_replay", "template0"))
        copy_by_dump(database_url, target)
        new = stack.enter_context(psycopg.connect(target, autocommit=True))
        lapse(new)
        enqueue(new)
        settle(new, sender)
        webhooks.replay(new, "shop", 1)
        settle(new, sender)
    assert receiver.ids == ["1-1", "2-2"] * 2
