"""A fresh database for each subject, and the server that all of them share."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import psycopg
from psycopg import sql


class NotDurableError(Exception):
    """The server may lose what it has committed, which would be another race."""


@contextmanager
def fresh(url: str, subject: str) -> Iterator[str]:
    """Make an empty database on the server of the URL, yield its URL, and drop it afterwards."""
    name = f"bench_{subject}_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )


def settle(url: str) -> None:
    """Leave the same calm before every measure.

    Each subject gets the statistics that autovacuum would have made a minute later, and pays for
    no checkpoint that another's writes have earned.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum (analyze)")
        with suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute("checkpoint")


def durability(url: str) -> dict[str, str]:
    """Return the server's version and the settings that decide what a commit costs.

    Raises:
        NotDurableError: A commit does not wait for the disk.
    """
    names = ("server_version", "fsync", "synchronous_commit", "wal_sync_method", "shared_buffers")
    with psycopg.connect(url, autocommit=True) as connection:
        found: dict[str, str] = dict(
            connection.execute(
                "select name, current_setting(name) from pg_settings where name = any(%s)",
                (list(names),),
            ).fetchall()
        )
    for name in ("fsync", "synchronous_commit"):
        if found[name] == "off":
            raise NotDurableError(f"{name} is off: the figures would say nothing; turn it on")
    return {name: found[name] for name in names}
