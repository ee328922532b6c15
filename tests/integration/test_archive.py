"""Archives: months leave the database whole or not at all, and come back as they were."""

import gzip
import hashlib
import json
import os
import signal
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from outbox.archive import file, moving, policy, storage
from outbox.log import months, replay
from outbox.log.database import connect
from outbox.log.follow import Follower
from outbox.log.months import ArchiveError
from outbox.log.seal import seal
from outbox.log.swap import swap
from outbox.log.verify import Finding, Verification, verify
from tests.account import Account
from tests.archiving import FEBRUARY, JANUARY, enqueue, everything, two_months

LATE_JANUARY = datetime(2026, 1, 31, 23, 59, 10, tzinfo=UTC)

STEPS = ["write", "put", "read back", "record", "drop", "done"]


def judged(
    connection: psycopg.Connection, *, with_archives: bool
) -> tuple[Verification, list[Finding]]:
    """Verify the log, with what lies in archives or without."""
    result = Verification()
    archived = file.digests if with_archives else None
    return result, list(verify(connection, result, archived=archived))


def rows(connection: psycopg.Connection, schema: str) -> list[object]:
    """Return the notifications that a replay has, which are some."""
    query = sql.SQL("select to_jsonb(n) from {}.notification n order by 1")
    found = connection.execute(query.format(sql.Identifier(schema))).fetchall()
    assert found
    return list(found)


def partitions(connection: psycopg.Connection) -> set[str]:
    """Return the log's months."""
    rows = connection.execute(
        "select inhrelid::regclass::text from pg_inherits"
        " where inhparent = 'outbox.event'::regclass"
    )
    return {row[0].removeprefix("outbox.") for row in rows}


def test_a_month_moves(connection: psycopg.Connection, tmp_path: Path) -> None:
    """Its events are lines of a file, and not in the database; the projections stay."""
    two_months(connection)
    before = everything(connection)
    made = moving.archive(connection, JANUARY, str(tmp_path))
    assert JANUARY not in partitions(connection)
    after = everything(connection)
    assert {name: after[name] for name in after if name != "event"} == {
        name: before[name] for name in before if name != "event"
    }
    packed = (tmp_path / f"{JANUARY}.jsonl.gz").read_bytes()
    assert hashlib.sha256(packed).digest() == made.sha256
    lines = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    assert len(lines) == made.events == 5
    assert {line["position"] for line in lines} | {
        row[0]["position"] for row in after["event"]
    } == {row[0]["position"] for row in before["event"]}


def test_what_is_archived_verifies(connection: psycopg.Connection, tmp_path: Path) -> None:
    """With the archives every seal is recomputed; without them it is said what was left out."""
    two_months(connection)
    moving.archive(connection, JANUARY, str(tmp_path))
    moving.archive(connection, FEBRUARY, str(tmp_path))
    result, findings = judged(connection, with_archives=True)
    assert (findings, result.archived, result.seals) == ([], 0, 2)
    result, findings = judged(connection, with_archives=False)
    assert (findings, result.archived) == ([], 9)


def test_what_is_left_of_a_seal_is_verified(connection: psycopg.Connection, tmp_path: Path) -> None:
    """Of a seal over an archived month and another one, the other's events are compared still."""
    two_months(connection)
    moving.archive(connection, FEBRUARY, str(tmp_path))
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        connection.execute(
            "update outbox.event set type = 'requeued'"
            " where position = (select max(position) from outbox.event)"
        )
    for with_archives in (True, False):
        (finding,) = judged(connection, with_archives=with_archives)[1]
        assert (finding.kind, finding.seal, finding.type) == ("changed", 2, "requeued")


def test_an_edited_archive_is_found(connection: psycopg.Connection, tmp_path: Path) -> None:
    """A file that was changed is refused; made to fit its record, its event is named."""
    two_months(connection)
    made = moving.archive(connection, JANUARY, str(tmp_path))
    path = tmp_path / f"{JANUARY}.jsonl.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b'"A"', b'"Z"')))
    with pytest.raises(ArchiveError, match="is not the archive that was written there"):
        judged(connection, with_archives=True)
    connection.execute(
        "update outbox.archive set sha256 = %s", (hashlib.sha256(path.read_bytes()).digest(),)
    )
    (finding,) = judged(connection, with_archives=True)[1]
    assert (finding.kind, finding.seal) == ("changed", 1)
    assert finding.position in {p for piece in made.positions for p in range(*piece_of(piece))}


def test_a_line_that_was_added_to_an_archive_is_found(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """Even if the file is made to fit its record, no seal is over what is new in it."""
    two_months(connection)
    moving.archive(connection, JANUARY, str(tmp_path))
    path = tmp_path / f"{JANUARY}.jsonl.gz"
    lines = gzip.decompress(path.read_bytes())
    forged = lines.splitlines()[-1].replace(b'{"position":5', b'{"position":500')
    path.write_bytes(gzip.compress(lines + forged + b"\n"))
    connection.execute(
        "update outbox.archive set sha256 = %s", (hashlib.sha256(path.read_bytes()).digest(),)
    )
    (finding,) = judged(connection, with_archives=True)[1]
    assert (finding.kind, finding.position) == ("added", 500)


def piece_of(piece: psycopg.types.range.Range[int]) -> tuple[int, int]:
    """Return the ends of a range."""
    assert piece.lower is not None
    assert piece.upper is not None
    return piece.lower, piece.upper


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"no event\n")])
def test_a_file_that_is_no_archive(
    connection: psycopg.Connection, tmp_path: Path, content: bytes
) -> None:
    """Whatever lies there instead is refused, with its place."""
    two_months(connection)
    moving.archive(connection, JANUARY, str(tmp_path))
    path = tmp_path / f"{JANUARY}.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(ArchiveError):
        judged(connection, with_archives=True)
    path.unlink()
    with pytest.raises(ArchiveError, match="cannot be read"):
        judged(connection, with_archives=True)


def test_a_month_comes_back(connection: psycopg.Connection, tmp_path: Path) -> None:
    """Restored, the log is what it was: the same events, seals, guard and rebuilt projections."""
    two_months(connection)
    before = everything(connection)
    archived = [moving.archive(connection, name, str(tmp_path)) for name in (JANUARY, FEBRUARY)]
    for one in reversed(archived):
        moving.restore(connection, one)
    assert everything(connection) == before
    assert judged(connection, with_archives=False) == judged(connection, with_archives=True)
    assert judged(connection, with_archives=False)[1] == []
    with replay.scratch(connection) as schema:
        assert list(replay.differences(connection, schema)) == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"truncate outbox.{JANUARY}")
    again = months.archives(connection)[0]
    with pytest.raises(ArchiveError, match="there is nothing to restore"):
        moving.restore(connection, again)
    moving.archive(connection, JANUARY, str(tmp_path))
    assert JANUARY not in partitions(connection)


def test_archives_are_replayed(connection: psycopg.Connection, tmp_path: Path) -> None:
    """A rebuild over archives and the database is what one over the database alone was."""
    two_months(connection)
    with replay.scratch(connection, LATE_JANUARY) as schema:
        then = rows(connection, schema)
    before = everything(connection)
    for name in (JANUARY, FEBRUARY):
        moving.archive(connection, name, str(tmp_path))
        with replay.scratch(connection, archived=file.lines) as schema:
            assert list(replay.differences(connection, schema)) == []
        with replay.scratch(connection, LATE_JANUARY, archived=file.lines) as schema:
            assert rows(connection, schema) == then
    assert swap(connection, archived=file.lines).tries == 1
    for one in months.archives(connection):
        moving.restore(connection, one)
    assert everything(connection) == before


def test_what_comes_later_still_fits(connection: psycopg.Connection, tmp_path: Path) -> None:
    """A notification whose events are archived can be requeued and sent."""
    _, _, cancelled, _ = two_months(connection)
    for name in (JANUARY, FEBRUARY):
        moving.archive(connection, name, str(tmp_path))
    account = Account.owned(connection)
    account.requeue(cancelled)
    account.send(cancelled, "sent", "C")
    assert list(seal(connection))
    assert judged(connection, with_archives=True)[1] == []


def _dies(url: str, folder: str, at: str) -> None:
    def step(name: str) -> None:
        if name == at:
            os.kill(os.getpid(), signal.SIGKILL)

    with connect(url, "tests") as connection:
        moving.archive(connection, JANUARY, folder, step=step)


@pytest.mark.parametrize("at", STEPS)
def test_killed_at_any_step(
    connection: psycopg.Connection, database_url: str, tmp_path: Path, at: str
) -> None:
    """Each event is in the database or in an archive on record, and the next run ends the job."""
    two_months(connection)
    before = everything(connection)
    process = get_context("spawn").Process(target=_dies, args=(database_url, str(tmp_path), at))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert (JANUARY in partitions(connection)) is (at != "done")
    assert judged(connection, with_archives=True)[1] == []
    if at != "done":
        assert everything(connection) == before
        moving.archive(connection, JANUARY, str(tmp_path))
    (made,) = months.archives(connection)
    assert JANUARY not in partitions(connection)
    assert judged(connection, with_archives=True)[1] == []
    moving.restore(connection, made)
    assert everything(connection) == before


def obstacle(connection: psycopg.Connection, partition: str = JANUARY) -> str | None:
    """Return what keeps a month in the database."""
    return {one.partition: one.obstacle for one in months.archivable(connection)}[partition]


def test_only_what_is_over_goes(connection: psycopg.Connection, tmp_path: Path) -> None:
    """This month and the coming ones are no candidates; that is said, with those that are."""
    two_months(connection)
    assert [one.partition for one in months.archivable(connection)] == [JANUARY, FEBRUARY]
    with pytest.raises(ArchiveError, match=f"in the database: {JANUARY}, {FEBRUARY}"):
        moving.archive(connection, "event_2999_01", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_an_event_without_seal_keeps_its_month(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """What nobody could prove afterwards does not leave."""
    two_months(connection)
    enqueue(connection, "2026-02-20 10:00", 9)
    assert obstacle(connection) is None
    assert obstacle(connection, FEBRUARY) == "an event is under no seal yet"
    with pytest.raises(ArchiveError, match="stays in the database: an event is under no seal"):
        moving.archive(connection, FEBRUARY, str(tmp_path))


def test_a_follower_that_is_behind_keeps_its_month(connection: psycopg.Connection) -> None:
    """A webhook that has still to be told of a month is not deprived of it."""
    two_months(connection)
    follower = Follower(connection, "webhook shop", back=None)
    assert obstacle(connection) == "webhook shop has still to read of it"
    with follower.read(5):
        pass
    assert obstacle(connection) is None
    assert obstacle(connection, FEBRUARY) == "webhook shop has still to read of it"


def test_an_open_notification_keeps_its_month(connection: psycopg.Connection) -> None:
    """A month stays while one of its notifications has not ended; the first is named."""
    two_months(connection)
    stream = enqueue(connection, "2026-02-20 10:00", 9)
    assert list(seal(connection))
    assert obstacle(connection) is None
    reason = obstacle(connection, FEBRUARY)
    assert reason == f"1 notifications from before its end have not ended, as {stream}"


def test_an_event_that_came_meanwhile_keeps_its_month(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """The last step counts again, under a lock: what was not archived is not dropped."""
    two_months(connection)

    def step(name: str) -> None:
        if name == "drop":
            enqueue(connection, "2026-01-20 10:00", 9)

    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="has 6 events"):
        moving.archive(connection, JANUARY, str(tmp_path), step=step)
    assert JANUARY in partitions(connection)


def test_one_at_a_time(connection: psycopg.Connection, database_url: str, tmp_path: Path) -> None:
    """Whoever comes while another one archives is told so."""
    two_months(connection)

    def step(name: str) -> None:
        if name == "put":
            with (
                connect(database_url, "tests") as other,
                pytest.raises(ArchiveError, match="somebody else is archiving"),
            ):
                moving.archive(other, JANUARY, str(tmp_path))

    moving.archive(connection, JANUARY, str(tmp_path), step=step)


def test_a_reader_delays_the_last_step(
    connection: psycopg.Connection, database_url: str, tmp_path: Path
) -> None:
    """Nobody waits long for a report: the month stays with its archive, and the next run ends."""
    two_months(connection)
    with psycopg.connect(database_url) as reader:
        reader.execute("select count(*) from outbox.event")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            moving.archive(connection, JANUARY, str(tmp_path))
    assert JANUARY in partitions(connection)
    moving.archive(connection, JANUARY, str(tmp_path))
    assert JANUARY not in partitions(connection)


def due(
    connection: psycopg.Connection, keep: int | None = None, limit: int | None = None
) -> list[str]:
    """Return the months that a policy lets go."""
    return [one.partition for one in policy.due(connection, keep, limit)]


def test_the_policy(connection: psycopg.Connection) -> None:
    """Months leave by their age, or, the oldest first, while the database is crowded."""
    two_months(connection)
    now = months.this_month(connection)
    age = 12 * (now.year - 2026) + now.month - 1
    assert due(connection) == []
    assert due(connection, age) == []
    assert due(connection, age - 1) == [JANUARY]
    assert due(connection, 0) == [JANUARY, FEBRUARY]
    row = connection.execute("select pg_database_size(current_database())").fetchone()
    assert row
    assert due(connection, None, 2 * row[0]) == []
    assert due(connection, None, row[0] * 10 // 7 - 1000) == [JANUARY]
    assert due(connection, None, 1) == [JANUARY, FEBRUARY]


@pytest.mark.parametrize("folder", ["ftp://here/there", "https://here/there"])
def test_a_place_where_no_archive_lies(folder: str) -> None:
    """Another kind of URL is refused, with those that are not."""
    with pytest.raises(ArchiveError, match="give a folder, or a bucket as s3://"):
        storage.location(folder, "x")


def test_a_folder_that_cannot_be_written(connection: psycopg.Connection) -> None:
    """It is named, and nothing has left the database."""
    two_months(connection)
    before = everything(connection)
    with pytest.raises(ArchiveError, match=r"file:///proc/nowhere/.* cannot be written"):
        moving.archive(connection, JANUARY, "/proc/nowhere")
    assert everything(connection) == before
    assert months.archives(connection) == []
