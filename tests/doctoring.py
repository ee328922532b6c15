"""Runs `outbox doctor`, and reads what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.log.seal import seal
from tests.cli_runner import Ran, Session, run

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg


JID = "31650000001:5@s.whatsapp.net"
PASSWORD = "geheim-0815"  # noqa: S105 - a test's


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
    assert list(seal(connection))
    return session
