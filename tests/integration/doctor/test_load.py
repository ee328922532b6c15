"""`outbox doctor` on connections, open transactions, vacuum and size."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql

from outbox.cli.checks import load
from outbox.log import examination
from outbox.settings import Settings
from tests.cli_runner import run
from tests.doctoring import PASSWORD, doctor, line, owned


def test_what_a_worker_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection, and for each account those of its owner, its session and its listener."""
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)

    def needed(**given: Any) -> tuple[int, int]:  # noqa: ANN401 - of any type that a setting has
        return load.needed(Settings.model_construct(database_url="postgresql:///", **given))

    assert needed() == (4, 6)  # docs/whatsapp.md has measured four
    assert needed(accounts=("a", "b")) == (7, 11)
    assert needed(listen_url="postgresql:///") == (5, 7)
    assert needed(session="simulated://127.0.0.1:1") == (2, 3)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert needed() == (5, 7)  # one tells the traces


@pytest.mark.parametrize(("limit", "verdict"), [(4, "broken"), (6, "warning"), (7, "ok")])
def test_too_few_connections(
    database_url: str, connection: psycopg.Connection, limit: int, verdict: str
) -> None:
    """One is in use here, by this test; a worker needs four, for moments six."""
    name = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("alter database {} connection limit {}").format(name, limit))
    connection.execute("set application_name = 'a shop'")
    found, seen, advice = line(database_url, "connections")
    assert found == verdict
    assert f"1 of {limit} in use (of the database)" in seen
    assert "1 a shop" in seen
    assert ("raise the limit" in advice) is (verdict != "ok")


def test_what_a_worker_has_already_counts(
    database_url: str, connection: psycopg.Connection
) -> None:
    """One that runs needs no second set."""
    name = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("alter database {} connection limit 6").format(name))
    connection.execute("set application_name = 'outbox owner main'")
    assert line(database_url, "connections")[0] == "ok"


def test_a_transaction_that_is_open_for_long(
    database_url: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process, its name and how to end it are said."""
    with psycopg.connect(database_url, application_name="a report") as idle:
        idle.execute("select 1")
        assert line(database_url, "transactions")[0] == "ok"
        monkeypatch.setattr(load, "LONG_SECONDS", 0.01)
        verdict, seen, advice = line(database_url, "transactions")
        assert verdict == "warning"
        assert f"pid {idle.info.backend_pid} a report (idle in transaction, open for" in seen
        assert f"pg_terminate_backend({idle.info.backend_pid})" in advice


def test_a_role_that_may_only_read(
    plain_url: str, connection: psycopg.Connection, simulated: None
) -> None:
    """It is told nearly everything, and what it cannot see."""
    owned(connection)
    ran, lines = doctor(plain_url)
    assert {name for name, one in lines.items() if one["verdict"] != "ok"} == set()
    assert "1 of other roles" in lines["connections"]["seen"]
    assert lines["transactions"]["seen"].endswith("so far as can be seen: 1 session of other roles")
    assert PASSWORD not in ran.out


def test_vacuum_that_has_not_kept_up(database_url: str, connection: psycopg.Connection) -> None:
    """The table is named with its dead rows."""
    connection.execute("alter table outbox.policy set (autovacuum_enabled = off)")
    connection.execute(
        "insert into outbox.policy (account) select n::text from generate_series(1, 60000) n"
    )
    connection.execute("delete from outbox.policy where account <> '*'")
    connection.execute("select pg_stat_force_next_flush()")
    connection.execute("select 1")
    verdict, seen, advice = line(database_url, "vacuum")
    assert verdict == "warning"
    assert "outbox.policy (60,000 dead rows" in seen
    assert advice.endswith("vacuum outbox.policy")


@pytest.mark.parametrize(("share", "verdict"), [(0.5, "ok"), (0.9, "warning"), (1.1, "broken")])
def test_a_database_that_outgrows_its_limit(
    database_url: str, connection: psycopg.Connection, share: float, verdict: str
) -> None:
    """From four fifths on somebody should look."""
    limit = int(examination.sizes(connection).database / share)
    found, seen, advice = line(database_url, "size", "--size-limit", f"{limit}B")
    assert found == verdict
    assert f"{share:.0%} of" in seen
    assert "media" in seen
    assert bool(advice) is (verdict != "ok")


@pytest.mark.parametrize("size", ["", "much", "1 XB", "0", "-1GB"])
def test_a_limit_that_is_no_size(size: str) -> None:
    """It ends with 2, and says how to write one."""
    ran = run("doctor", "--size-limit", size)
    assert (ran.code, ran.out) == (2, "")
    assert f"--size-limit cannot be {size!r}: write a size as 1GB" in ran.err
