"""The log's guards: it is appended to, in order of version, and never changed."""

import json
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from outbox.errors import VersionConflict
from tests.account import Account

pytestmark = pytest.mark.undone

RECIPIENT = str(UUID(int=1))
ENQUEUED = {
    "recipient": RECIPIENT,
    "content": "00",
    "priority": 0,
    "expires_at": "2999-01-01T00:00:00Z",
    "max_attempts": 3,
    "on_unknown": "resend",
}


def relations(connection: psycopg.Connection) -> list[str]:
    """Return the log and each of its partitions."""
    rows = connection.execute(
        "select c.relname from pg_class c left join pg_inherits i on i.inhrelid = c.oid"
        " where 'outbox.event'::regclass in (c.oid, i.inhparent) and c.relkind in ('r', 'p')"
    )
    return [row[0] for row in rows]


def append(
    connection: psycopg.Connection, *events: tuple[UUID, int, str, dict[str, object]]
) -> None:
    """Append events (stream, version, type, data) in one statement."""
    rows = [{"s": str(s), "v": v, "t": t, "d": d} for s, v, t, d in events]
    connection.execute(
        "insert into outbox.event (account, stream, version, type, data)"
        " select 'main', s, v, t, d"
        " from jsonb_to_recordset(%s) as e (s uuid, v integer, t text, d jsonb)",
        (json.dumps(rows),),
    )


def count(connection: psycopg.Connection) -> int:
    """Return how many events there are."""
    row = connection.execute("select count(*) from outbox.event").fetchone()
    assert row
    return int(row[0])


CHANGES = [
    "update outbox.{} set type = 'sent'",
    "delete from outbox.{}",
    "truncate outbox.{}",
    "update outbox.{} set type = 'sent' where false",
    "delete from outbox.{} where false",
    "merge into outbox.{} e using outbox.lease l on false when matched then delete",
]


def test_nothing_changes_the_log(connection: psycopg.Connection) -> None:
    """Update, delete, truncate and merge are refused, of the log and of each partition."""
    Account(connection).enqueue()
    assert len(relations(connection)) == 5
    for relation in relations(connection):
        for change in CHANGES:
            statement = sql.SQL(change).format(sql.Identifier(relation))
            with pytest.raises(
                psycopg.errors.InsufficientPrivilege, match=f"{relation} is refused: the log is"
            ) as refused:
                connection.execute(statement)
            assert "Append a new event" in str(refused.value.diag.message_hint)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        connection.execute("truncate outbox.restore_epoch, outbox.event cascade")
    assert count(connection) == 1


def test_nothing_enters_a_partition_but_through_the_log(connection: psycopg.Connection) -> None:
    """An event that no projection would hear of is refused, by insert and by copy."""
    partitions = [name for name in relations(connection) if name != "event"]
    for partition in partitions:
        name = sql.Identifier(partition)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="INSERT on outbox"):
            connection.execute(
                sql.SQL(
                    "insert into outbox.{} (account, stream, version, type)"
                    " values ('main', gen_random_uuid(), 1, 'enqueued')"
                ).format(name)
            )
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege, match="INSERT on outbox"),
            connection.transaction(),
            connection.cursor() as cursor,
            cursor.copy(
                sql.SQL("copy outbox.{} (account, stream, version, type) from stdin").format(name)
            ) as copy,
        ):
            copy.write_row(("main", uuid4(), 1, "enqueued"))
    assert count(connection) == 0


@pytest.mark.parametrize(
    ("version", "type_"),
    [
        (2, "gone_fishing"),  # no such type
        (1, "gone_fishing"),
        (3, "cancelled"),  # a version is missing
        (1, "cancelled"),  # a version that was
        (2, "sent"),  # nothing was started
        (2, "delivered"),
        (2, "rejected"),
        (2, "requeued"),
        (2, "enqueued"),
        (2, "attempt_failed"),
        (2, "attempt_unknown"),
        (2, "connected"),  # a connection's
    ],
)
def test_an_event_that_cannot_follow_is_refused(
    connection: psycopg.Connection, version: int, type_: str
) -> None:
    """A wrong version, an illegal transition or an unknown type: a conflict, nothing appended."""
    account = Account(connection)
    notification = account.enqueue()
    before = account.row(notification)
    with pytest.raises(VersionConflict) as refused:
        append(connection, (notification, version, type_, {}))
    assert refused.value.sqlstate == "40O01"
    assert type_ in refused.value.message
    assert "repeat the transaction" in refused.value.hint
    assert count(connection) == 1
    assert account.row(notification) == before


def test_an_event_of_no_stream_is_refused(connection: psycopg.Connection) -> None:
    """A stream begins with its first event."""
    stream = uuid4()
    with pytest.raises(VersionConflict, match="which is not there"):
        append(connection, (stream, 1, "cancelled", {}))
    with pytest.raises(VersionConflict, match="which is not there"):
        append(connection, (stream, 2, "enqueued", ENQUEUED))
    assert count(connection) == 0


def test_one_bad_event_refuses_the_whole_statement(connection: psycopg.Connection) -> None:
    """What is appended together is accepted together or not at all."""
    account = Account(connection)
    notification = account.enqueue()
    with pytest.raises(VersionConflict):
        append(connection, (uuid4(), 1, "enqueued", ENQUEUED), (notification, 2, "read", {}))
    with pytest.raises(VersionConflict):
        append(connection, (notification, 2, "cancelled", {}), (notification, 3, "cancelled", {}))
    with pytest.raises(VersionConflict):
        append(connection, (notification, 2, "cancelled", {}), (notification, 2, "cancelled", {}))
    assert count(connection) == 1
    assert account.row(notification).state == "pending"


def test_events_of_one_statement_are_applied_by_version(connection: psycopg.Connection) -> None:
    """Several events of a stream in one statement count in order of version, however given."""
    stream, other = uuid4(), uuid4()
    append(
        connection,
        (stream, 6, "sent", {"message_id": "A2"}),
        (stream, 2, "attempt_started", {"attempt": 1}),
        (other, 2, "cancelled", {}),
        (stream, 1, "enqueued", ENQUEUED),
        (stream, 4, "attempt_failed", {"class": "never_left", "error": "no trace"}),
        (stream, 7, "delivered", {}),
        (other, 1, "enqueued", ENQUEUED),
        (stream, 3, "attempt_unknown", {"error": "it crashed"}),
        (stream, 5, "attempt_started", {"attempt": 2}),
    )
    account = Account(connection)
    assert account.row(stream) == ("delivered", 7, 2, 1, "A2", "no trace")
    assert account.row(other).state == "cancelled"


def test_of_two_writers_of_a_stream_one_loses(
    connection: psycopg.Connection, database_url: str
) -> None:
    """The second to append a version waits for the first, and is refused when that commits."""
    account = Account(connection)
    notification = account.enqueue()
    with psycopg.connect(database_url) as first, psycopg.connect(database_url) as second:
        append(first, (notification, 2, "cancelled", {}))
        second.execute("set lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            append(second, (notification, 2, "expired", {}))
        second.rollback()
        first.commit()
        with pytest.raises(VersionConflict, match="which is cancelled at version 2"):
            append(second, (notification, 2, "expired", {}))
    assert account.story(notification) == ["enqueued", "cancelled"]


def test_a_writer_whose_rival_rolls_back_goes_on(
    connection: psycopg.Connection, database_url: str
) -> None:
    """A version that was given up is free again."""
    account = Account(connection)
    notification = account.enqueue()
    with psycopg.connect(database_url) as rival:
        append(rival, (notification, 2, "cancelled", {}))
        rival.rollback()
        account.cancel(notification)
    assert account.row(notification).version == 2


def test_a_connections_versions_are_held_too(connection: psycopg.Connection) -> None:
    """The stream of a connection takes its next version and no other."""
    account = Account.owned(connection)
    row = connection.execute("select stream from outbox.connection").fetchone()
    assert row
    for version in (1, 3):
        with pytest.raises(VersionConflict, match="which is at version 1"):
            append(connection, (row[0], version, "connected", {}))
    append(connection, (row[0], 3, "connected", {}), (row[0], 2, "connecting", {}))
    assert account.standing()[:2] == ("connected", 3)
    with pytest.raises(VersionConflict):
        append(connection, (uuid4(), 4, "connected", {}))


def test_a_positions_gap_is_no_event(connection: psycopg.Connection) -> None:
    """Positions grow, and what was refused leaves a gap and nothing else."""
    account = Account(connection)
    first = account.enqueue()
    with pytest.raises(VersionConflict):
        append(connection, (first, 9, "sent", {}))
    second = account.enqueue()
    rows = connection.execute("select stream, position from outbox.event order by position")
    (one, at), (two, later) = rows.fetchall()
    assert (one, two) == (first, second)
    assert later > at + 1
