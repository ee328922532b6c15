"""The server and the databases that tests make and drop again, touching no other database."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from outbox import embedded

PREFIX = f"outbox_test_{secrets.token_hex(4)}"
"""Begins the name of every database of this run, so that runs can share a server."""


@contextmanager
def embedded_server(binaries: Path | None = None) -> Iterator[str]:
    """Start a server for this run, hand out its URL and remove it.

    What a killed run has left in the same home, a running server included, is removed first.
    """
    with unused_home() as home:
        if home.exists():
            embedded.server(home, binaries=binaries).remove()
        server = embedded.server(home, binaries=binaries)
        try:
            yield server.start().url()
        finally:
            server.remove()


@contextmanager
def unused_home() -> Iterator[Path]:
    """Hold the first of this checkout's homes for tests that no living run holds."""
    for number in count():
        home = embedded.folder(f"tests {Path(__file__).resolve().parent} {number}")
        held = os.open(f"{home}.held", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield home
        except BlockingIOError:
            continue
        else:
            return
        finally:
            os.close(held)


@contextmanager
def roles_left_as_they_were(url: str) -> Iterator[None]:
    """Drop the roles that migrations have made on a server meanwhile."""
    roles = "select rolname from pg_roles where rolname in ('outbox_application', 'outbox_auditor')"
    with psycopg.connect(url) as connection:
        before = set(connection.execute(roles))
    yield
    with psycopg.connect(url, autocommit=True) as connection:
        for (role,) in set(connection.execute(roles)) - before:
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


def renamed(url: str, database: str) -> str:
    """Return the URL of another database of the same server, its parameters kept."""
    return urlsplit(url)._replace(path=f"/{quote(database, safe='')}").geturl()


@contextmanager
def database(server_url: str, suffix: str, template: str | None = None) -> Iterator[str]:
    """Make a database, hand out its URL and drop it, whoever is still connected.

    Args:
        server_url: Any database of the server; it is connected to, not written to.
        suffix: What follows `PREFIX` in the name.
        template: The name of the database to copy.
    """
    name = f"{PREFIX}_{suffix}"
    source = sql.SQL("template {}").format(sql.Identifier(template)) if template else sql.SQL("")
    create = sql.SQL("create database {} {}").format(sql.Identifier(name), source)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(create)
    try:
        yield renamed(server_url, name)
    finally:
        drop = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(drop)
