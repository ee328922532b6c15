"""`outbox doctor`: a healthy outbox is all right, and each ailment has its line and its advice."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from outbox.cli.checks import load, server
from outbox.log import examination, schema
from outbox.log.login import record_login
from outbox.log.store import SCHEMA
from outbox.settings import Settings
from tests.cli_runner import Ran, Session, enqueue, run
from tests.databases import PREFIX, database
from tests.whatsapp.device import create_store, pair_device

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from outbox.cli.checks.finding import Finding
    from outbox.log.database import Connection

JID = "31650000001:5@s.whatsapp.net"
PASSWORD = "geheim-0815"  # noqa: S105 - a test's


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with ffmpeg, whose environment says nothing of the outbox."""
    for name in os.environ:
        if name.startswith("OUTBOX_"):
            monkeypatch.delenv(name)
    ffmpeg = tmp_path / "ffmpeg"
    ffmpeg.write_text("#!/bin/sh\n")
    ffmpeg.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions that need no login."""
    monkeypatch.setenv("OUTBOX_SESSION", "simulated://127.0.0.1:5222")


def doctor(url: str | None, *arguments: object) -> tuple[Ran, Mapping[str, Mapping[str, str]]]:
    """Run it; return how it ended, and its lines by name."""
    ran = run("doctor", "--json", *arguments, url=url)
    assert not ran.err
    return ran, {line["name"]: line for line in ran.json}


def line(url: str, name: str, *arguments: object) -> tuple[str, str, str]:
    """Run it; return what one line says: verdict, what was seen, advice."""
    ran, lines = doctor(url, *arguments)
    found = lines[name]
    if found["verdict"] == "broken":
        assert ran.code == 11
    return found["verdict"], found["seen"], found["advice"]


def owned(connection: psycopg.Connection) -> Session:
    """Let a worker own main, and be connected."""
    session = Session(connection)
    session.transition("connecting")
    session.transition("connected")
    return session


# Everything.


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


# The database.


def test_without_a_database_the_machine_is_checked(simulated: None) -> None:
    """What needs none is looked at, and it is said what was not."""
    ran, lines = doctor(None)
    assert ran.code == 11
    assert lines["database"]["seen"] == "none is named"
    assert "set DATABASE_URL" in lines["database"]["advice"]
    assert lines["neonize"]["verdict"] == lines["ffmpeg"]["verdict"] == "ok"
    assert lines["the rest"]["seen"].startswith("not checked: the server")


def test_a_server_that_cannot_be_reached() -> None:
    """The driver's reason is said, with what to look at, and without the password."""
    ran, lines = doctor(f"postgresql://me:{PASSWORD}@127.0.0.1:1/nothing")
    assert ran.code == 11
    assert "Connection refused" in lines["database"]["seen"]
    assert "check DATABASE_URL" in lines["database"]["advice"]
    assert PASSWORD not in ran.out


@pytest.mark.parametrize(
    "url",
    [
        "mysql geheim",
        "postgresql://me:x@geheim@127.0.0.1:1/db",
        "postgresql://me:x/geheim@127.0.0.1:1/db",
        "postgresql://me:12/geheim@127.0.0.1:1/db",
        "postgresql://me:geheim/x@127.0.0.1:1/db",
        "postgresql://me:geheim%zz@127.0.0.1:1/db",
    ],
)
def test_a_url_that_is_misread_is_not_repeated(url: str) -> None:
    """A part of the password that libpq takes for a host or a port is shown nowhere."""
    ran, lines = doctor(url)
    assert lines["database"]["seen"] == "DATABASE_URL cannot be read"
    assert "%40" in lines["database"]["advice"]
    assert "geheim" not in ran.out


def test_a_password_is_not_shown(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither that of DATABASE_URL nor that of OUTBOX_LISTEN_URL."""
    parts = urlsplit(database_url)
    who = f"{parts.username or 'postgres'}:{PASSWORD}"
    with_password = parts._replace(netloc=f"{who}@{parts.hostname or ''}").geturl()
    if parts.password:
        with_password = database_url
    monkeypatch.setenv("OUTBOX_LISTEN_URL", f"postgresql://me:{PASSWORD}@127.0.0.1:1/nothing")
    ran, lines = doctor(with_password)
    assert lines["database"]["verdict"] == "ok"
    assert "Connection refused" in lines["LISTEN"]["seen"]
    assert PASSWORD not in ran.out
    assert not parts.password or parts.password not in ran.out


def test_tls() -> None:
    """A password in the clear is a warning, unless it never leaves this machine."""

    def found(host: str, *, in_use: bool = False) -> str:
        connection = SimpleNamespace(
            info=SimpleNamespace(host=host), pgconn=SimpleNamespace(ssl_in_use=in_use)
        )
        return server.tls(cast("Connection", connection)).verdict

    assert found("db.example.com", in_use=True) == "ok"
    assert found("db.example.com") == "warning"
    assert found("127.0.0.1") == found("/var/run/postgresql") == "ok"


@pytest.mark.parametrize(("major", "verdict"), [(14, "broken"), (15, "ok"), (19, "warning")])
def test_versions(
    database_url: str,
    simulated: None,
    monkeypatch: pytest.MonkeyPatch,
    major: int,
    verdict: str,
) -> None:
    """From 15 to 18 it is tested."""
    told = examination.Server(f"{major}.1", major, "on", "on", "on", "origin")
    monkeypatch.setattr(examination, "server", lambda _: told)
    found = line(database_url, "version")
    assert found[0] == verdict
    assert f"PostgreSQL {major}.1" in found[1]


def test_commits_that_do_not_wait_for_the_disk(
    database_url: str, connection: psycopg.Connection
) -> None:
    """What was accepted could be lost."""
    name = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("alter database {} set synchronous_commit = off").format(name))
    verdict, seen, advice = line(database_url, "durability")
    assert verdict == "broken"
    assert "may be lost" in seen
    assert "synchronous_commit = on" in advice


def test_clocks_that_differ(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says by how much, which way, and that delivery does not mind."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 120)
    verdict, seen, advice = line(database_url, "clocks")
    assert verdict == "warning"
    assert "is 2 min behind this machine's: harmless to delivery" in seen
    assert "NTP" in advice


def test_a_server_far_away(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch waits for it."""
    monkeypatch.setattr(server, "FAR_SECONDS", 0.0)
    assert line(database_url, "round trip")[0] == "warning"


# LISTEN.


def test_pooled_without_a_direct_way(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """News is found by polling, and WhatsApp does not work at all."""
    monkeypatch.setenv("OUTBOX_POOLED", "true")
    ran, lines = doctor(database_url)
    assert ran.code == 11
    assert lines["LISTEN"]["verdict"] == "warning"
    assert "30 s" in lines["LISTEN"]["seen"]
    assert "OUTBOX_LISTEN_URL" in lines["LISTEN"]["advice"]
    assert lines["session"]["verdict"] == "broken"
    assert "whatsmeow cannot use" in lines["session"]["seen"]


def test_pooled_with_a_direct_way(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is heard on the other way."""
    monkeypatch.setenv("OUTBOX_POOLED", "true")
    monkeypatch.setenv("OUTBOX_LISTEN_URL", database_url)
    assert line(database_url, "LISTEN") == (
        "ok",
        "what is notified is heard through OUTBOX_LISTEN_URL",
        "",
    )


def test_a_direct_way_to_somewhere_else(
    database_url: str, server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that lives and hears nothing is found out."""
    monkeypatch.setattr(server, "_HEAR_SECONDS", 0.2)
    monkeypatch.setenv("OUTBOX_LISTEN_URL", server_url)
    verdict, seen, advice = line(database_url, "LISTEN")
    assert verdict == "warning"
    assert "nothing is heard through OUTBOX_LISTEN_URL" in seen
    assert "the same database" in advice


def test_a_pooler_that_nobody_spoke_of(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deaf without OUTBOX_POOLED: both variables are named."""
    monkeypatch.setattr(examination, "hears", lambda *_: False)
    verdict, _, advice = line(database_url, "LISTEN")
    assert verdict == "warning"
    assert "OUTBOX_POOLED=true" in advice
    assert "OUTBOX_LISTEN_URL" in advice


# The schema.


@pytest.fixture
def empty(server_url: str) -> Iterator[str]:
    """A database without an outbox."""
    with database(server_url, "doctor_empty") as url:
        yield url


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


# The load.


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


@pytest.fixture
def plain_url(database_url: str, connection: psycopg.Connection) -> Iterator[str]:
    """The database, for a role that may read the outbox and no more."""
    name = f"{PREFIX}_plain"
    role = sql.Identifier(name)
    connection.execute(sql.SQL("create role {} login password {}").format(role, PASSWORD))
    try:
        for grant in (
            "grant usage on schema outbox to {}",
            "grant select on all tables in schema outbox, public to {}",
        ):
            connection.execute(sql.SQL(grant).format(role))
        parts = urlsplit(database_url)
        host = parts.netloc.rpartition("@")[2]
        yield parts._replace(netloc=f"{name}:{PASSWORD}@{host}").geturl()
    finally:
        connection.execute(sql.SQL("drop owned by {0}; drop role {0}").format(role))


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


# Accounts.


def test_a_lease_that_lapsed(database_url: str, connection: psycopg.Connection) -> None:
    """Whose it was, for how long, and what to run."""
    owned(connection)
    connection.execute("update outbox.lease set until = now() - interval '2 minutes'")
    verdict, seen, advice = line(database_url, "main: owner")
    assert verdict == "broken"
    assert seen.startswith("the lease of here (process 7) lapsed 2 min")
    assert advice == "run: outbox worker --account main"


def test_a_queue_that_nobody_owns(database_url: str, connection: psycopg.Connection) -> None:
    """Of an account that no worker here serves, too."""
    enqueue(connection, account="shop")
    verdict, seen, advice = line(database_url, "shop: owner")
    assert (verdict, seen) == ("broken", "no worker owns it, and 1 notification cannot be sent")
    assert advice == "run: outbox worker --account shop"


def test_a_worker_without_ffmpeg(database_url: str, connection: psycopg.Connection) -> None:
    """It is the owner's machine that counts."""
    owned(connection)
    connection.execute("update outbox.connection set lacks_ffmpeg = true")
    verdict, seen, _ = line(database_url, "main: owner")
    assert verdict == "warning"
    assert "has no ffmpeg" in seen


@pytest.mark.parametrize(
    ("transition", "verdict", "advice"),
    [
        ("connecting", "ok", ""),
        ("disconnected", "warning", "to hurry: outbox resume main"),
        ("logged_out", "broken", "outbox pair main"),
        ("banned", "broken", "lower the pace"),
        ("outdated", "broken", "upgrade neonize"),
    ],
)
def test_where_a_connection_stands(
    database_url: str,
    connection: psycopg.Connection,
    transition: str,
    verdict: str,
    advice: str,
) -> None:
    """What does not mend itself is broken, and each state has its own advice."""
    session = Session(connection)
    session.transition(transition, "because")
    found, _, said = line(database_url, "main: connection")
    assert found == verdict
    assert advice in said


def test_an_account_that_is_not_paired(database_url: str) -> None:
    """A worker here would have nothing to send as."""
    assert line(database_url, "main: login") == (
        "broken",
        "not paired: nothing can be sent",
        "run: outbox pair main",
    )


def test_an_account_whose_device_is_gone(database_url: str, connection: psycopg.Connection) -> None:
    """WhatsApp takes it out of the store; its number is not shown."""
    record_login(connection, "main", JID)
    ran, lines = doctor(database_url)
    assert lines["main: login"]["verdict"] == "broken"
    assert "its device is gone" in lines["main: login"]["seen"]
    assert "outbox pair main" in lines["main: login"]["advice"]
    assert "31650000001" not in ran.out


@pytest.mark.parametrize("column", ["throttled_until", "strangers_after"])
def test_an_account_that_whatsapp_holds_back(
    database_url: str, connection: psycopg.Connection, column: str
) -> None:
    """Until when is said."""
    owned(connection)
    connection.execute(
        sql.SQL(
            "update outbox.connection"
            " set bucket_full_at = now(), {} = now() + interval '90 minutes'"
        ).format(sql.Identifier(column))
    )
    verdict, seen, advice = line(database_url, "main: pace")
    assert verdict == "warning"
    assert "(in 1 h " in seen
    assert "outbox.policy" in advice


def test_what_waits_for_an_operator(database_url: str, connection: psycopg.Connection) -> None:
    """Held ones, those that wait for long, and those that ended without success today."""
    held, dead, old = (enqueue(connection, f"+44770090020{n}", on_unknown="hold") for n in range(3))
    session = owned(connection)
    session.end("rejected", dead, error="400")
    connection.execute(
        "update outbox.notification set enqueued_at = now() - interval '2 hours' where id = %s",
        (old,),
    )
    _, lines = doctor(database_url)
    assert "oldest was enqueued 2 h" in lines["main: queue"]["seen"]
    assert "--state pending" in lines["main: queue"]["advice"]
    assert lines["main: dead letters"]["seen"] == "1 rejected since yesterday; in all 1 rejected"
    assert "outbox requeue" in lines["main: dead letters"]["advice"]
    session.end("unknown", held)
    connection.execute(
        "update outbox.notification set changed_at = now() - interval '2 days' where id = %s",
        (dead,),
    )
    _, lines = doctor(database_url)
    assert lines["main: queue"]["verdict"] == "warning"
    assert "1 notification of unknown outcome held for you" in lines["main: queue"]["seen"]
    assert lines["main: dead letters"]["seen"] == "none since yesterday; in all 1 rejected"
    assert lines["main: dead letters"]["verdict"] == "ok"


# This machine.


def test_a_setting_that_cannot_be(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named with its value, and the other checks go on."""
    monkeypatch.setenv("OUTBOX_LEASE_SECONDS", "never")
    ran, lines = doctor(database_url)
    assert ran.code == 11
    assert lines["settings"]["verdict"] == "broken"
    assert "OUTBOX_LEASE_SECONDS cannot be 'never'" in lines["settings"]["seen"]
    assert lines["guards"]["verdict"] == "ok"


@pytest.mark.parametrize("url", ["whatsap:", "whatsapp:?capacity=0", "simulated://"])
def test_a_session_that_there_is_not(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """The value is repeated."""
    monkeypatch.setenv("OUTBOX_SESSION", url)
    _, lines = doctor("postgresql://127.0.0.1:1/x")
    assert lines["session"]["verdict"] == "broken"
    assert url in lines["session"]["seen"]


def test_a_machine_without_ffmpeg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It says which messages that concerns."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    _, lines = doctor(None)
    assert lines["ffmpeg"]["verdict"] == "warning"
    assert "voice messages" in lines["ffmpeg"]["seen"]


@pytest.mark.parametrize(
    ("session", "verdict"), [("whatsapp:", "broken"), ("simulated://127.0.0.1:1", "warning")]
)
def test_neonize_that_cannot_be_imported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, session: str, verdict: str
) -> None:
    """Its last words are shown; whoever sends nothing over WhatsApp can do without."""
    (tmp_path / "neonize.py").write_text("raise ImportError('failed to find libmagic')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("OUTBOX_SESSION", session)
    _, lines = doctor(None)
    assert lines["neonize"]["verdict"] == verdict
    assert lines["neonize"]["seen"].endswith("ImportError: failed to find libmagic")
    assert "pip install" in lines["neonize"]["advice"]
