"""What the tests of `outbox doctor` stand on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.databases import PREFIX, database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


from tests.doctoring import PASSWORD


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


@pytest.fixture
def empty(server_url: str) -> Iterator[str]:
    """A database without an outbox."""
    with database(server_url, "doctor_empty") as url:
        yield url


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
            "grant select on all sequences in schema outbox to {}",
        ):
            connection.execute(sql.SQL(grant).format(role))
        parts = urlsplit(database_url)
        host = parts.netloc.rpartition("@")[2]
        yield parts._replace(netloc=f"{name}:{PASSWORD}@{host}").geturl()
    finally:
        connection.execute(sql.SQL("drop owned by {0}; drop role {0}").format(role))
