"""Replay: the projections rebuilt from the log alone are the live ones."""

from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from outbox.archive import moving
from outbox.log import replay
from outbox.log.replay import PartlyArchivedError, differences, rebuild, scratch
from outbox.log.swap import swap
from tests.account import Account
from tests.archiving import JANUARY, two_months


def live_a_little(account: Account) -> None:
    """Leave a notification in most states, a recipient with failures, and a connection."""
    sent, failed, unknown, cancelled, rejected, _ = (account.enqueue(n) for n in range(6))
    account.transition("connected")
    account.send(sent, "sent", "A")
    account.send(failed, "failed")
    account.send(unknown, "unknown", "B")
    account.send(rejected, "rejected")
    account.cancel(cancelled)
    account.receive(("A", "delivered"), ("B", "read"))
    account.requeue(rejected)
    account.transition("disconnected", "gone")


def differing(connection: psycopg.Connection) -> list[replay.Difference]:
    """Return the differences between a rebuild of now and the live projections."""
    with scratch(connection) as schema:
        return list(differences(connection, schema))


def test_a_rebuild_equals_the_live_projections(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row for row, whatever the number of positions that are projected at a time."""
    account = Account.owned(connection)
    live_a_little(account)
    for batch in (1, 3, 10_000):
        monkeypatch.setattr(replay, "_BATCH", batch)
        assert differing(connection) == []


def test_an_empty_log_is_rebuilt(connection: psycopg.Connection) -> None:
    """Nothing comes from nothing."""
    with scratch(connection) as schema:
        assert list(differences(connection, schema)) == []


def test_a_difference_names_the_row(connection: psycopg.Connection) -> None:
    """A projection that was written past the log is found: changed, missing and invented rows."""
    account = Account.owned(connection)
    changed, missing = account.enqueue(1), account.enqueue(2)
    account.send(changed, "failed")
    connection.execute("update outbox.notification set priority = 9 where id = %s", (changed,))
    connection.execute("delete from outbox.notification where id = %s", (missing,))
    connection.execute("update outbox.recipient set failures = 0")
    connection.execute("update outbox.connection set account = 'invented'")
    found = {(d.projection, d.key): d for d in differing(connection)}
    row = connection.execute("select recipient::text from outbox.recipient").fetchone()
    assert row
    assert set(found) == {
        ("notification", str(changed)),
        ("notification", str(missing)),
        ("recipient", row[0]),
        ("connection", "main"),
        ("connection", "invented"),
    }
    told = found["notification", str(changed)]
    assert told.live
    assert told.replayed
    assert (told.live["priority"], told.replayed["priority"]) == (9, 0)
    assert found["notification", str(missing)].live is None
    assert found["connection", "invented"].replayed is None


def test_what_is_merely_equal_differs(connection: psycopg.Connection) -> None:
    """Values are compared as they are stored: PostgreSQL says that 24 hours equal a day."""
    notification = Account(connection).enqueue(retry_after="1 day", retry_limit="1 day")
    connection.execute("update outbox.notification set retry_after = '24 hours'")
    (found,) = differing(connection)
    assert found.key == str(notification)
    assert found.columns == {"retry_after": ("24:00:00", "1 day")}


def test_the_past_is_rebuilt(connection: psycopg.Connection) -> None:
    """A rebuild until a moment shows what was known then, and stays for whoever asked for it."""
    account = Account.owned(connection)
    notification = account.enqueue()
    account.send(notification, "not_sent")
    row = connection.execute("select clock_timestamp()").fetchone()
    assert row
    moment = row[0]
    account.send(notification, "sent", "A")
    later = account.enqueue()
    account.transition("connected")
    rebuild(connection, "last_night", until=moment)
    rows = connection.execute(
        "select id, state, version, attempts from last_night.notification"
    ).fetchall()
    assert rows == [(notification, "pending", 3, 1)]
    assert connection.execute("select state from last_night.connection").fetchall() == [("owned",)]
    assert account.row(later).state == "pending"
    with pytest.raises(psycopg.errors.DuplicateSchema):
        rebuild(connection, "last_night")


def test_a_rebuild_leaves_nothing_behind(connection: psycopg.Connection) -> None:
    """The scratch schema is gone afterwards, also when the block fails."""
    live_a_little(Account.owned(connection))
    schemas = "select nspname from pg_namespace order by nspname"
    before = connection.execute(schemas).fetchall()
    with scratch(connection) as schema:
        assert (schema,) in connection.execute(schemas).fetchall()
    with pytest.raises(ZeroDivisionError), scratch(connection):
        raise ZeroDivisionError
    assert connection.execute(schemas).fetchall() == before
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_a_rebuild_beside_traffic_equals_what_it_began_with(
    connection: psycopg.Connection, database_url: str
) -> None:
    """Log and projections are read through one snapshot: what commits meanwhile is in neither."""
    account = Account.owned(connection)
    live_a_little(account)
    with psycopg.connect(database_url) as slow:
        Account(slow).enqueue(50)
        told: list[tuple[int, int]] = []

        def disturb(done: int, last: int) -> None:
            told.append((done, last))
            slow.commit()

        with (
            psycopg.connect(database_url, autocommit=True) as beside,
            scratch(beside, progress=disturb) as schema,
        ):
            live_a_little(account)
            assert list(differences(beside, schema)) == []
    assert told
    assert told[-1][0] == told[-1][1]
    assert differing(connection) == []


def test_the_order_of_streams_is_free(connection: psycopg.Connection) -> None:
    """A recipient is told of by many streams; whichever is projected first, its counters agree."""
    account = Account.owned(connection)
    first, second, third = account.enqueue(), account.enqueue(), account.enqueue()
    account.send(first, "failed")
    account.send(second, "sent", "A")
    account.send(third, "failed")
    account.send(first, "failed")
    streams = [first, third, second]
    with connection.transaction(force_rollback=True):
        connection.execute("select outbox.begin_replay('reversed')")
        connection.execute(
            "insert into reversed.event select * from outbox.event where stream <> all (%s)",
            (streams,),
        )
        for stream in streams:
            connection.execute(
                "insert into reversed.event select * from outbox.event where stream = %s", (stream,)
            )
        assert list(differences(connection, "reversed")) == []
    assert account.recipient_of(first) == (2, 3, True, None, True)


def test_a_replay_reads_by_ranges_of_positions(connection: psycopg.Connection) -> None:
    """The log is read once from end to end: each range by the index that knows where it lies."""
    live_a_little(Account.owned(connection))
    connection.execute("set enable_seqscan = off")
    plan = "\n".join(
        row[0]
        for row in connection.execute(
            "explain select * from outbox.event"
            " where position > 0 and position <= 100 and recorded_at < 'infinity' order by position"
        )
    )
    assert "Bitmap Index Scan on event_" in plan
    assert "_position_recorded_at_idx" in plan


def test_what_lies_in_an_archive_alone_is_missed(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """Nothing is rebuilt from a part of the log, unless the part that is missing came later."""
    two_months(connection)
    moving.archive(connection, JANUARY, str(tmp_path))
    with (
        pytest.raises(PartlyArchivedError, match=f"{JANUARY} lies in an archive alone"),
        scratch(connection),
    ):
        pass
    with pytest.raises(PartlyArchivedError):
        swap(connection)
    with scratch(connection, until=datetime(2026, 1, 1, tzinfo=UTC)) as schema:
        assert list(connection.execute(f"table {schema}.notification".encode())) == []
