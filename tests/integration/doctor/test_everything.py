"""`outbox doctor` as a whole: a healthy outbox is all right, and one ailment hides no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.cli.checks import load
from outbox.log.login import record_login
from outbox.log.store import SCHEMA
from tests.cli_runner import enqueue, run
from tests.whatsapp.device import create_store, pair_device

if TYPE_CHECKING:
    import psycopg
    import pytest

    from outbox.cli.checks.finding import Finding
    from outbox.log.database import Connection
    from outbox.settings import Settings

from tests.doctoring import JID, doctor, owned


def test_a_healthy_outbox_is_all_right(database_url: str, connection: psycopg.Connection) -> None:
    """A paired account, connected and owned: every line is ok and has no advice, and it ends 0."""
    create_store(database_url, SCHEMA)
    pair_device(connection, SCHEMA, JID)
    record_login(connection, "main", JID)
    session = owned(connection)
    session.end("sent", enqueue(connection))
    ran, lines = doctor(database_url, "--size-limit", "1GB")
    assert {
        name: one for name, one in lines.items() if one["verdict"] != "ok" or one["advice"]
    } == {}
    assert ran.code == 0
    assert "here (process 7), epoch 1" in lines["main: owner"]["seen"]
    assert "its device is there" in lines["main: login"]["seen"]
    assert "31650000001" not in ran.out


def test_people_read_a_line_for_each_check(database_url: str, simulated: None) -> None:
    """Verdict, name, what was seen, and behind an arrow what to do; warnings alone end with 0."""
    ran = run("doctor", url=database_url)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert any(one.startswith("ok       schema ") for one in lines)
    (warning,) = [one for one in lines if one.startswith("warning")]
    assert warning == (
        "warning  main: owner         no worker owns it; nothing waits"
        " → run: outbox worker --account main"
    )
    assert lines[-1].endswith(" ok, 1 warning")


def test_json_has_every_line(database_url: str, simulated: None) -> None:
    """Each with name, verdict, what was seen, and advice, which is empty where all is well."""
    ran, lines = doctor(database_url)
    assert ran.code == 0
    assert all(set(one) == {"name", "verdict", "seen", "advice"} for one in ran.json)
    assert len(lines) == len(ran.json)
    assert all(bool(one["advice"]) == (one["verdict"] != "ok") for one in ran.json)


def test_one_check_that_fails_hides_no_other(
    database_url: str, connection: psycopg.Connection, simulated: None
) -> None:
    """It is broken, with its sentence, and those behind it are made."""
    connection.execute("drop table outbox.media")
    ran, lines = doctor(database_url)
    assert ran.code == 11
    assert lines["size"]["verdict"] == "broken"
    assert 'relation "outbox.media" does not exist' in lines["size"]["seen"]
    assert lines["main: owner"]["verdict"] == "warning"


def test_a_connection_that_is_lost_on_the_way(
    database_url: str, monkeypatch: pytest.MonkeyPatch, simulated: None
) -> None:
    """Each check behind it says so, and the rest has been seen."""

    def lost(connection: Connection, _: Settings) -> Finding:
        connection.execute("select pg_terminate_backend(pg_backend_pid())")
        raise AssertionError

    monkeypatch.setattr(load, "connections", lost)
    ran, lines = doctor(database_url)
    assert ran.code == 11
    assert lines["version"]["verdict"] == "ok"
    for name in ("connections", "schema", "guards", "accounts"):
        assert lines[name]["seen"].startswith("could not be checked: The database was lost"), name
