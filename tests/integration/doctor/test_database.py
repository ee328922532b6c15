"""`outbox doctor` on the way to the database and the server that is there."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from outbox.cli.checks import server
from outbox.log import examination

if TYPE_CHECKING:
    from outbox.log.database import Connection

from tests.doctoring import PASSWORD, doctor, line


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
