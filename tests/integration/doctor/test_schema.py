"""`outbox doctor` on the schema, its guards, partitions and restores."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql

from outbox.log import examination, schema
from outbox.log.seal import seal
from tests.cli_runner import enqueue
from tests.doctoring import doctor, line


def test_a_database_without_an_outbox(empty: str) -> None:
    """The server is checked all the same, and what is left out is said."""
    ran, lines = doctor(empty)
    assert ran.code == 11
    assert lines["schema"]["advice"] == "run: outbox migrate"
    assert lines["LISTEN"]["verdict"] == lines["connections"]["verdict"] == "ok"
    assert lines["the rest"]["verdict"] == "warning"
    assert "guards" not in lines


def test_a_schema_that_is_older(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has to be migrated; the rest is looked at."""
    monkeypatch.setattr(schema, "known", lambda: ["0001", "0002"])
    assert line(database_url, "schema") == (
        "broken",
        "revision 0001 is older than 0002, which this release needs",
        "run: outbox migrate",
    )
    assert line(database_url, "guards")[0] == "ok"


def test_a_schema_that_is_newer(
    database_url: str, connection: psycopg.Connection, simulated: None
) -> None:
    """Releases overlap, so it is a warning."""
    connection.execute("update outbox_version set version_num = '9999'")
    verdict, seen, _ = line(database_url, "schema")
    assert verdict == "warning"
    assert "9999" in seen


@pytest.mark.parametrize(("months", "verdict"), [(0, "broken"), (2, "warning")])
@pytest.mark.parametrize("way", ["drop", "detach"])
def test_a_partition_that_is_missing(
    database_url: str, connection: psycopg.Connection, months: int, verdict: str, way: str
) -> None:
    """This month's stops everything, a later one will; one that was detached has to come back."""
    name = examination.partitions(connection)[months].name
    change = (
        "drop table outbox.{0}"
        if way == "drop"
        else ("alter table outbox.event detach partition outbox.{0}")
    )
    connection.execute(sql.SQL(change).format(sql.Identifier(name)))
    found, seen, advice = line(database_url, "partitions")
    assert found == verdict
    assert f"outbox.{name} missing" in seen
    assert "outbox.create_partitions()" in advice
    assert ("attach again" in advice) is (way == "detach")


GUARDS = {
    "drop trigger guard on outbox.event": "guard of outbox.event is missing",
    "drop trigger project_connection on outbox.event": (
        "project_connection of outbox.event is missing"
    ),
    "alter table outbox.event disable trigger project_recipient": (
        "project_recipient of outbox.event is disabled"
    ),
    "drop trigger guard on outbox.seal": "guard of outbox.seal is missing",
    "drop trigger guard on outbox.{0}": "guard of outbox.{0} is missing",
    "alter table outbox.{0} disable trigger guard": "guard of outbox.{0} is disabled",
    "create or replace trigger guard before update or delete on outbox.{0} "
    "for each statement execute function outbox.refuse_change()": (
        "guard of outbox.{0} is changed"
    ),
}


@pytest.mark.parametrize("change", GUARDS)
def test_a_guard_that_is_missing(
    database_url: str, connection: psycopg.Connection, change: str
) -> None:
    """Or disabled, or without TRUNCATE: it is named with its table, and the advice mends it."""
    name = examination.partitions(connection)[1].name
    connection.execute(change.format(name))
    verdict, seen, advice = line(database_url, "guards")
    assert verdict == "broken"
    assert seen == f"trigger {GUARDS[change].format(name)}"
    connection.execute(advice.partition("in SQL: ")[2])
    assert line(database_url, "guards")[0] == "ok"
    enqueue(connection)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(sql.SQL("truncate outbox.{}").format(sql.Identifier(name)))


def test_triggers_that_do_not_fire(database_url: str, connection: psycopg.Connection) -> None:
    """A setting can disable them all at once."""
    name = sql.Identifier(connection.info.dbname)
    connection.execute(
        sql.SQL("alter database {} set session_replication_role = replica").format(name)
    )
    verdict, seen, _ = line(database_url, "guards")
    assert verdict == "broken"
    assert "session_replication_role is replica" in seen


def test_a_restore_that_nobody_has_noticed(
    database_url: str, connection: psycopg.Connection
) -> None:
    """A row that another transaction wrote than it remembers; looking at it changes nothing."""
    connection.execute("update outbox.restore_epoch set epoch = epoch")
    for _ in range(2):
        verdict, seen, advice = line(database_url, "restore")
        assert verdict == "warning"
        assert "restored from a dump" in seen
        assert "outbox worker" in advice
    connection.execute("select outbox.begin_epoch()")
    assert line(database_url, "restore")[:2] == ("ok", f"epoch 2, since {_today()}")


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def test_seals(database_url: str, connection: psycopg.Connection) -> None:
    """Who has no seals is told so, and who has events that wait for theirs for long."""
    assert line(database_url, "seals")[:2] == ("ok", "nothing to seal yet")
    enqueue(connection)
    assert line(database_url, "seals")[:2] == ("warning", "no worker has sealed the log yet")
    assert list(seal(connection))
    assert line(database_url, "seals")[:2] == ("ok", "everything is sealed")
    enqueue(connection)
    assert line(database_url, "seals")[:2] == ("ok", "1 event to seal")
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        connection.execute("update outbox.event set recorded_at = recorded_at - interval '6 min'")
    verdict, seen, _ = line(database_url, "seals")
    assert verdict == "warning"
    assert seen.startswith("events wait for their seal for 6 min")
