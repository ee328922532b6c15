"""Seals, and what verification finds when somebody has been at the log."""
# ruff: noqa: S608 - who tampers writes what he likes

import hashlib
from collections.abc import Callable
from datetime import UTC

import psycopg
import pytest

from outbox.log.seal import seal
from outbox.log.verify import Finding, Verification, verify
from tests.account import Account

Tamper = Callable[[psycopg.Connection], None]


@pytest.fixture
def sealed(connection: psycopg.Connection) -> psycopg.Connection:
    """Events of five notifications and a connection, under three seals."""
    account = Account.owned(connection)
    for _ in range(2):
        notification = account.enqueue()
        account.send(notification, "sent")
        assert len(list(seal(connection))) == 1
    for _ in range(3):
        account.enqueue()
    assert len(list(seal(connection))) == 1
    return connection


def judged(
    connection: psycopg.Connection, witnessed: dict[int, bytes] | None = None
) -> tuple[Verification, list[Finding]]:
    """Verify the log."""
    result = Verification()
    return result, list(verify(connection, result, witnessed=witnessed))


def tamper(connection: psycopg.Connection, *statements: str) -> None:
    """Do what an owner can: without the guards."""
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)


def position(connection: psycopg.Connection, number: int) -> int:
    """Return the position of an event, counted from the first."""
    row = connection.execute(
        "select position from outbox.event order by position offset %s limit 1", (number,)
    ).fetchone()
    assert row
    return int(row[0])


def test_an_untouched_log_verifies(sealed: psycopg.Connection) -> None:
    """Every event is under one seal, and what has come since the last one is counted."""
    Account(sealed, "later").enqueue()
    result, findings = judged(sealed)
    assert findings == []
    row = sealed.execute("select count(*) from outbox.event").fetchone()
    assert row
    assert (result.seals, result.events, result.unsealed) == (3, row[0] - 1, 1)


def test_nothing_new_makes_no_seal(sealed: psycopg.Connection) -> None:
    """A log in which nothing happens gains no seals."""
    assert list(seal(sealed)) == []


def test_a_seal_can_be_recomputed_by_anybody(sealed: psycopg.Connection) -> None:
    """The digest is what the documentation says, with no code of the outbox in between."""
    previous = bytes(32)
    for number, epoch, sealed_at, positions, digest in sealed.execute(
        "select number, epoch, sealed_at, positions::text, digest from outbox.seal order by number"
    ).fetchall():
        at = sealed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        text = previous + f"{number} {epoch} {at}\n".encode()
        for (line,) in sealed.execute(
            "select outbox.event_line(e) from outbox.event e"
            " where %s::int8multirange @> position order by position",
            (positions,),
        ):
            text += hashlib.sha256(line.encode()).digest()
        previous = hashlib.sha256(text).digest()
        assert previous == digest


def test_a_transaction_left_open_delays_its_own_events_only(
    sealed: psycopg.Connection, database_url: str
) -> None:
    """What commits late comes under a later seal, at whatever position it lies."""
    with psycopg.connect(database_url) as late:
        Account(late, "slow").enqueue()
        Account(sealed, "fast").enqueue()
        (first,) = seal(sealed)
        late.commit()
    (second,) = seal(sealed)
    assert first.events == 1
    assert second.events >= 1
    assert min(second.each_position) < min(first.each_position)
    assert judged(sealed)[1] == []


@pytest.mark.parametrize(
    "change",
    [
        "type = 'sent'",
        "data = data || '{\"x\": 1}'",
        'metadata = \'{"by": "nobody"}\'',
        "recorded_at = recorded_at + interval '1 microsecond'",
        "account = 'other'",
        "stream = gen_random_uuid()",
        "version = version + 7",
        "xid = '3'",
    ],
)
def test_an_edited_event_is_named(sealed: psycopg.Connection, change: str) -> None:
    """Whatever is changed in an event, it is named, with its seal and with what it says now."""
    at = position(sealed, 5)
    tamper(sealed, f"update outbox.event set {change} where position = {at}")
    _, findings = judged(sealed)
    (finding,) = findings
    assert (finding.kind, finding.position, finding.seal) == ("changed", at, 2)
    assert (finding.account, finding.version, finding.type) == sealed.execute(
        "select account, version, type from outbox.event where position = %s", (at,)
    ).fetchone()


def test_a_removed_event_is_named(sealed: psycopg.Connection) -> None:
    """An event that is gone is named; of a notification that is known still, by its id, too."""
    row = sealed.execute("select id, position from outbox.notification limit 1").fetchone()
    assert row
    notification, at = row
    tamper(sealed, f"delete from outbox.event where position = {at}")
    _, findings = judged(sealed)
    (finding,) = findings
    assert (finding.kind, finding.position, finding.stream) == ("removed", at, notification)


def test_a_removed_stream_is_named(sealed: psycopg.Connection) -> None:
    """Of a notification that never was, each event is missed."""
    row = sealed.execute(
        "select stream, array_agg(position order by position) from outbox.event"
        " where stream in (select id from outbox.notification) group by 1 limit 1"
    ).fetchone()
    assert row
    stream, positions = row
    tamper(
        sealed,
        f"delete from outbox.event where stream = '{stream}'",
        f"delete from outbox.notification where id = '{stream}'",
    )
    findings = judged(sealed)[1]
    assert [(one.kind, one.position) for one in findings] == [("removed", p) for p in positions]


@pytest.mark.parametrize(
    "forged",
    [
        "position + 1000000, xid",
        "-position, xid",
        "position, xid",
        "position + 1000000, '9000000000000000'",
    ],
)
def test_an_added_event_is_named(sealed: psycopg.Connection, forged: str) -> None:
    """An event that claims to have been there is under no seal, whatever position it takes."""
    row = sealed.execute(
        "select count(*) from outbox.event where position = %s", (position(sealed, 3),)
    ).fetchone()
    assert row == (1,)
    tamper(
        sealed,
        "insert into outbox.event (position, xid, recorded_at, account, stream, version, type)"
        f" select {forged}, recorded_at, account, stream, version + 1, 'cancelled'"
        f" from outbox.event where position = {position(sealed, 3)}",
    )
    _, findings = judged(sealed)
    (finding,) = findings
    assert finding.kind == "added"
    assert finding.seal is None


def test_swapped_events_are_named(sealed: psycopg.Connection) -> None:
    """Of two events that have changed places, both are named."""
    one, other = position(sealed, 2), position(sealed, 6)
    tamper(
        sealed,
        f"update outbox.event set position = {one + other} - position"
        f" where position in ({one}, {other})",
    )
    findings = judged(sealed)[1]
    assert {(f.kind, f.position) for f in findings} == {("changed", one), ("changed", other)}


def test_a_changed_seal_is_named(sealed: psycopg.Connection) -> None:
    """A seal that says something else than it did is named, and later ones are judged for it."""
    for change in (
        "digest = sha256('x')",
        "marks = substr(marks, 9)",
        "events = events - 1",
        "sealed_at = sealed_at + interval '1 second'",
        "epoch = 2",
    ):
        tamper(sealed, "create table if not exists kept as select * from outbox.seal")
        tamper(sealed, f"update outbox.seal set {change} where number = 2")
        findings = judged(sealed)[1]
        assert ("seal_changed", 2) in {(one.kind, one.seal) for one in findings}, change
        tamper(sealed, "delete from outbox.seal", "insert into outbox.seal select * from kept")
    assert judged(sealed)[1] == []


def test_a_missing_seal_is_named(sealed: psycopg.Connection) -> None:
    """A gap in the numbers is a finding; so are the events that are under no seal any more."""
    tamper(sealed, "delete from outbox.seal where number = 2")
    kinds = {(one.kind, one.seal) for one in judged(sealed)[1]}
    assert {("seal_missing", 2), ("seal_changed", 3), ("added", None)} <= kinds


def test_a_chain_made_anew_is_found_by_a_witness(sealed: psycopg.Connection) -> None:
    """Who changes an event and all seals fools the chain, and not who noted a digest elsewhere."""
    noted = {3: sealed.execute("select digest from outbox.seal where number = 3").fetchone()}
    witnessed = {number: row[0] for number, row in noted.items() if row}
    assert judged(sealed, witnessed)[1] == []
    tamper(
        sealed,
        f"update outbox.event set type = 'sent' where position = {position(sealed, 5)}",
        "delete from outbox.seal",
        "delete from outbox.cursor",
    )
    assert list(seal(sealed))
    assert judged(sealed)[1] == []
    _, findings = judged(sealed, witnessed)
    assert [(one.kind, one.seal) for one in findings] == [("not_witnessed", 3)]


def test_the_seals_are_guarded(sealed: psycopg.Connection) -> None:
    """Seals are refused changes as the log is."""
    for change in ("update outbox.seal set events = 0", "delete from outbox.seal"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            sealed.execute(change)
