"""`outbox verify`: the log against its seals and against what a log drain has kept."""

from pathlib import Path

import psycopg
import pytest

from outbox.log.seal import seal
from tests.account import Account
from tests.cli_runner import run
from tests.running import Running

SIMULATED = "simulated://127.0.0.1:1"


@pytest.fixture
def last(connection: psycopg.Connection) -> str:
    """Three events under one seal, as a worker's log names it."""
    account = Account(connection)
    for _ in range(3):
        account.enqueue()
    (made,) = seal(connection)
    return str(made)


def edit(connection: psycopg.Connection, position: int) -> None:
    """Change an event, as only the owner can."""
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        connection.execute(
            'update outbox.event set metadata = \'{"by": "nobody"}\' where position = %s',
            (position,),
        )


def test_whole(database_url: str, last: str) -> None:
    """A log that nobody has touched is whole, and the last seal is named for a witness."""
    ran = run("verify", url=database_url)
    assert ran.code == 0
    assert "3 events under 1 seal; 0 events since the last seal." in ran.out
    assert f"The log is whole. Last seal {last}" in ran.out
    assert run("verify", "--json", url=database_url).json == {
        "seals": 1,
        "events": 3,
        "unsealed": 0,
        "findings": [],
        "archived": 0,
        "last": last,
        "witnessed": 0,
    }


def test_edited(database_url: str, connection: psycopg.Connection, last: str) -> None:
    """An event that was changed is named, and the exit code says that something is wrong."""
    edit(connection, 2)
    ran = run("verify", url=database_url)
    assert ran.code == 12
    assert last
    row = connection.execute("select stream from outbox.event where position = 2").fetchone()
    assert row
    assert f"changed: event 2 (enqueued, version 1 of {row[0]}, account main) is not" in ran.out
    (finding,) = run("verify", "--json", url=database_url).json["findings"]
    assert (finding["kind"], finding["position"], finding["seal"]) == ("changed", 2, 1)


def test_witness(database_url: str, connection: psycopg.Connection, last: str) -> None:
    """A chain that was made anew fits, but not with the lines that a log drain has kept."""
    noted = f"2026-03-10T12:00:00Z app[worker.1]: event=sealed seal={last} events=3\n"
    assert run("verify", "--witness", "-", url=database_url, stdin=noted).code == 0
    edit(connection, 2)
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        connection.execute("delete from outbox.seal")
        connection.execute("delete from outbox.cursor")
    assert list(seal(connection))
    assert run("verify", url=database_url).code == 0
    ran = run("verify", "--witness", "-", url=database_url, stdin=noted)
    assert ran.code == 12
    assert "not as witnessed: seal 1" in ran.out


def test_unsealed(database_url: str, connection: psycopg.Connection) -> None:
    """Where no worker has run yet there is nothing to verify, and it says so."""
    Account(connection).enqueue()
    ran = run("verify", url=database_url)
    assert ran.code == 0
    assert "Nothing is sealed yet: 1 event;" in ran.out


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nothing of the kind\n", "--witness - names no seal"),
        (f"1:{'0' * 64} 1:{'1' * 64}", "--witness - names seal 1 with two digests"),
    ],
)
def test_a_witness_that_says_nothing(database_url: str, text: str, sentence: str) -> None:
    """A text without seals, or with two of one number, is no witness."""
    ran = run("verify", "--witness", "-", url=database_url, stdin=text)
    assert ran.code == 2
    assert sentence in ran.err


def test_a_witness_that_is_not_there(database_url: str, tmp_path: Path) -> None:
    """A file that cannot be read is named."""
    ran = run("verify", "--witness", tmp_path / "drain.log", url=database_url)
    assert ran.code == 2
    assert "drain.log cannot be read: No such file" in ran.err


def test_a_worker_seals(database_url: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    """It does when it starts and when it stops, and its log is a witness."""
    Account(connection).enqueue()
    worker = Running(
        tmp_path / "worker.log",
        ["worker"],
        {"DATABASE_URL": database_url, "OUTBOX_SESSION": SIMULATED},
    )
    try:
        worker.wait_for(r"event=sealed seal=1:[0-9a-f]{64}")
        worker.process.terminate()
        worker.process.wait(30)
    finally:
        worker.end()
    ran = run("verify", "--witness", worker.log, "--json", url=database_url)
    assert ran.code == 0
    assert ran.json["witnessed"] == ran.json["seals"]
    assert ran.json["seals"] > 1
    row = connection.execute("select type from outbox.event order by position desc").fetchone()
    assert row == ("lease_released",)
    assert ran.json["unsealed"] == 0
