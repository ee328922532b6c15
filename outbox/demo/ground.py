"""The ground of the demo: a database of its own, made on the server that it is given.

Invariant: no database that exists is touched; the one that is made is left to be looked at.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from psycopg import sql

from outbox import embedded
from outbox.log import migrate
from outbox.log.database import connect, libpq_url

_SHOP = """
    create schema shop;
    create table shop."order" (number integer primary key, customer text not null);
    comment on schema shop is 'what the demo''s caller writes in the same transactions';
    insert into outbox.policy (account, grace) values ('shop', '3 seconds');
"""


@dataclass(frozen=True, slots=True)
class Ground:
    """A database at the newest revision."""

    url: str
    name: str
    server: str
    """What the server is, for people."""


def lay(url: str | None) -> Ground:
    """Make the database.

    Args:
        url: Of a database on the server to use, which is connected to and not written to; None
            for the embedded server, which is started and goes on running.

    Raises:
        EmbeddedError: The embedded server is not installed or did not start.
        psycopg.Error: The server cannot be reached, or refuses to make a database.
    """
    given = libpq_url(url) if url else embedded.server().start().url()
    name = f"outbox_demo_{secrets.token_hex(2)}"
    with connect(given, "outbox demo") as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        version = connection.info.parameter_status("server_version") or ""
    made = urlsplit(given)._replace(path=f"/{name}").geturl()
    migrate.upgrade(made)
    with connect(made, "outbox demo") as connection:
        connection.execute(_SHOP)
    kind = "PostgreSQL" if url else "the embedded PostgreSQL"
    return Ground(made, name, f"{kind} {version.split(' ')[0]}")
