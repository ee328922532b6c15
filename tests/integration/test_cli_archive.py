"""`outbox archive`, and what other commands say of a log of which a part is archived."""

from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from tests.archiving import FEBRUARY, JANUARY, enqueue, two_months
from tests.cli_runner import run
from tests.running import Running
from tests.web_api import Api
from tests.web_pages import log_in

SIMULATED = "simulated://127.0.0.1:1"


@pytest.fixture
def log(connection: psycopg.Connection) -> psycopg.Connection:
    """A log of two months that are over."""
    two_months(connection)
    return connection


def test_write_list_restore(database_url: str, log: psycopg.Connection, tmp_path: Path) -> None:
    """A month goes and comes back by its name, and the list says where each is."""
    ran = run("archive", "write", "2026-01", "--to", tmp_path, url=database_url)
    assert ran.code == 0
    assert f"{JANUARY}: 5 events in {tmp_path.as_uri()}/{JANUARY}.jsonl.gz" in ran.out
    listed = run("archive", "list", url=database_url).out
    assert f"{JANUARY}.jsonl.gz alone: 5 events" in listed
    assert f"{FEBRUARY}  the database:" in listed
    assert "could be archived" in listed
    document = run("archive", "list", "--json", url=database_url).json
    assert [one["partition"] for one in document["archives"]] == [JANUARY]
    assert [one["partition"] for one in document["database"]] == [FEBRUARY]
    ran = run("archive", "restore", "2026-01", url=database_url)
    assert (ran.code, ran.out) == (0, f"{JANUARY}: 5 events back in the database\n")
    assert f"{JANUARY}.jsonl.gz and the database" in run("archive", "list", url=database_url).out


def test_replay(database_url: str, log: psycopg.Connection, tmp_path: Path) -> None:
    """Months in archives are replayed with the rest; one that is lost is missed by its name."""
    run("archive", "write", "--to", tmp_path, url=database_url)
    ran = run("replay", "--check", url=database_url)
    assert (ran.code, "4 notification" in ran.out) == (0, True)
    ran = run("replay", "--until", "2026-01-20T00:00", "--json", url=database_url)
    assert ran.json["notifications"] == {"sent": 1}
    assert run("replay", "--swap", url=database_url).code == 0
    (tmp_path / f"{JANUARY}.jsonl.gz").unlink()
    ran = run("replay", "--check", url=database_url)
    assert ran.code == 5
    assert f"{JANUARY}.jsonl.gz cannot be read" in ran.err


def test_write_all(database_url: str, log: psycopg.Connection, tmp_path: Path) -> None:
    """Without a month all go that can; what has to stay is said, with its reason."""
    enqueue(log, "2026-02-20 10:00", 9)
    ran = run("archive", "write", "--to", tmp_path, "--json", url=database_url)
    assert ran.code == 9
    assert [one["partition"] for one in ran.json["archived"]] == [JANUARY]
    assert ran.json["left"] == [{"partition": FEBRUARY, "reason": "an event is under no seal yet"}]
    ran = run("archive", "write", "--to", tmp_path, url=database_url)
    assert ran.code == 5
    assert f"{FEBRUARY} stays in the database: an event is under no seal yet" in ran.out
    ran = run("archive", "write", "--to", tmp_path, "--keep-months", "1000", url=database_url)
    assert (ran.code, ran.out) == (0, "No month is to be archived.\n")


def test_verify(database_url: str, log: psycopg.Connection, tmp_path: Path) -> None:
    """The archives are read where they lie; left out, that is said."""
    run("archive", "write", "--to", tmp_path, url=database_url)
    ran = run("verify", "--json", url=database_url)
    assert (ran.code, ran.json["archived"], ran.json["findings"]) == (0, 0, [])
    ran = run("verify", "--no-archives", url=database_url)
    assert ran.code == 0
    assert "10 events under 2 seals, of which 9 in archives that were left out" in ran.out
    assert "What was read of the log is whole." in ran.out
    (tmp_path / f"{JANUARY}.jsonl.gz").unlink()
    ran = run("verify", url=database_url)
    assert ran.code == 5
    assert f"{JANUARY}.jsonl.gz cannot be read" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["write"], 2, "Nobody said where archives go: give --to, or set OUTBOX_ARCHIVE_TO"),
        (["write", "March", "--to", "x"], 2, "'March' is no month: write it as 2026-03"),
        (["write", "2026-07", "--to", "x"], 5, "event_2026_07 is no month that is over"),
        (["write", "2026-01", "--to", "ftp://x"], 5, "Archives do not lie at ftp://x"),
        (["restore", "2026-01"], 4, f"{JANUARY} is in no archive; see: outbox archive list"),
    ],
)
def test_what_cannot_be(
    database_url: str, log: psycopg.Connection, arguments: list[str], code: int, sentence: str
) -> None:
    """Each mistake has its sentence and its exit code."""
    ran = run("archive", *arguments, url=database_url)
    assert ran.code == code
    assert sentence in ran.err


def test_a_worker_archives(database_url: str, log: psycopg.Connection, tmp_path: Path) -> None:
    """It does as the settings say, and warns of a database that is nearly full."""
    worker = Running(
        tmp_path / "worker.log",
        ["worker"],
        {
            "DATABASE_URL": database_url,
            "OUTBOX_SESSION": SIMULATED,
            "OUTBOX_ARCHIVE_TO": str(tmp_path / "archives"),
            "OUTBOX_ARCHIVE_KEEP_MONTHS": "1",
            "OUTBOX_DATABASE_LIMIT": "1MB",
        },
    )
    try:
        worker.wait_for(f"event=archived partition={JANUARY} events=5")
        worker.wait_for(f"event=archived partition={FEBRUARY} events=4")
        worker.wait_for(r'event="the database is nearly full" bytes=\d+ limit=1000000')
    finally:
        worker.end()
    assert run("verify", url=database_url).code == 0


def test_what_is_left_of_a_timeline(
    database_url: str, log: psycopg.Connection, api: Api, tmp_path: Path
) -> None:
    """`outbox show` and the page of a notification say how many events lie in an archive."""
    both, cancelled = "00000000-0000-0000-0000-000000000002", UUID(int=3)
    assert "archive" not in run("show", both, url=database_url).out
    run("archive", "write", "2026-01", "--to", tmp_path, url=database_url)
    shown = run("show", both, url=database_url).out
    assert "2 earlier events lie in an archive: outbox archive list" in shown
    assert "delivered" in shown
    run("archive", "write", "2026-02", "--to", tmp_path, url=database_url)
    shown = run("show", both, url=database_url).out
    assert "4 earlier events lie in an archive" in shown
    assert "WHAT HAPPENED" not in shown
    page = log_in(api, "read").get(f"/notifications/{cancelled}")
    assert page.status_code == 200
    assert "2 earlier events lie in an archive" in page.text
