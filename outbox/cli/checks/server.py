"""The server: whether it is one that the outbox works with, how far away it is, what it hears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.cli.checks.database import ESCAPES, is_misread
from outbox.cli.checks.finding import Finding, broken, ok, warning
from outbox.cli.exits import one_line
from outbox.words import wording

if TYPE_CHECKING:
    from outbox.log.database import Connection
    from outbox.settings import Settings

OLDEST, NEWEST = 15, 18
"""The major versions of PostgreSQL that the outbox is tested with."""
FAR_SECONDS = 0.1
"""Beyond this the server is in another region: each batch waits for it."""
SKEW_SECONDS = 2.0
_HEAR_SECONDS = 3.0


def version(connection: Connection) -> Finding:
    """It is tested with PostgreSQL 15 to 18."""
    from outbox.log.examination import server  # noqa: PLC0415

    found = server(connection)
    seen = f"PostgreSQL {found.version}"
    if found.major < OLDEST:
        return broken(f"{seen} is too old", f"upgrade the server to {OLDEST} or later")
    if found.major > NEWEST:
        return warning(
            f"{seen} is newer than this release of the outbox has been tested with",
            f"use PostgreSQL {OLDEST} to {NEWEST}, or a newer release of the outbox",
        )
    return ok(seen)


def tls(connection: Connection) -> Finding:
    """Heroku lets nobody in without; on this machine it is not needed."""
    host = connection.info.host
    if connection.pgconn.ssl_in_use:
        return ok("in use")
    if host.startswith("/") or host in {"localhost", "127.0.0.1", "::1"}:
        return ok("not in use; the server is on this machine")
    return warning(
        f"not in use: the password and what is sent cross the network to {host} in the clear",
        "put ?sslmode=require behind DATABASE_URL; Heroku requires it",
    )


def durability(connection: Connection) -> Finding:
    """What was accepted survives a crash of the server."""
    from outbox.log.examination import server  # noqa: PLC0415

    found = server(connection)
    seen = f"fsync {found.fsync}, synchronous_commit {found.synchronous_commit}"
    if found.fsync == "off":
        return broken(
            f"{seen}: a crash of the server's machine may destroy the database",
            "set fsync = on in postgresql.conf and reload",
        )
    if found.synchronous_commit == "off":
        return broken(
            f"{seen}: what was accepted last may be lost when the server crashes",
            "set synchronous_commit = on for the server, the database and the role",
        )
    if found.full_page_writes == "off":
        return warning(
            f"{seen}, but full_page_writes off: a crash may leave half a page",
            "set full_page_writes = on, unless the file system never writes half a page",
        )
    return ok(seen)


def round_trip(connection: Connection) -> Finding:
    """An owner waits for one with each batch."""
    from outbox.log.examination import clock  # noqa: PLC0415

    seconds = clock(connection).round_trip
    seen = f"{seconds * 1000:.2f} ms"
    if seconds > FAR_SECONDS:
        return warning(
            f"{seen}: every batch and every enqueue waits that long",
            "run the worker in the region of the database; look at the load of both",
        )
    return ok(seen)


def clocks(connection: Connection) -> Finding:
    """Delivery goes by the database's clock alone, but whoever compares logs is misled."""
    from outbox.log.examination import clock  # noqa: PLC0415

    found = clock(connection)
    if abs(found.ahead) <= max(SKEW_SECONDS, found.round_trip):
        return ok("this machine's and the server's agree")
    side = "ahead of" if found.ahead > 0 else "behind"
    return warning(
        f"the server's is {wording.span(found.ahead)} {side} this machine's: "
        "harmless to delivery, but times in the worker's log and in the database do not match",
        "synchronise both with NTP",
    )


def listening(connection: Connection, settings: Settings) -> Finding:
    """A parked owner is told of news, by the way on which it listens."""
    import psycopg  # noqa: PLC0415

    from outbox.log.examination import hears  # noqa: PLC0415

    every = wording.span(settings.poll_seconds)
    url = settings.direct_url
    if url is None:
        return warning(
            f"OUTBOX_POOLED is set, and no OUTBOX_LISTEN_URL: news is found after {every} at most",
            "set OUTBOX_LISTEN_URL to a direct way to the database",
        )
    way = "OUTBOX_LISTEN_URL" if settings.listen_url else "DATABASE_URL"
    if is_misread(url):
        return broken(f"{way} cannot be read", ESCAPES)
    try:
        heard = hears(connection, url, _HEAR_SECONDS)
    except psycopg.OperationalError as error:
        return broken(
            f"no connection through {way}: {one_line(error)}",
            f"check {way}: without it no account is served",
        )
    if heard:
        return ok(f"what is notified is heard through {way}")
    if settings.listen_url:
        return warning(
            f"nothing is heard through {way}: news is found after {every} at most",
            "let it lead to the same database as DATABASE_URL, and through no pooler",
        )
    return warning(
        f"nothing is heard through {way}, as behind a pooler in transaction mode",
        "set OUTBOX_POOLED=true, and OUTBOX_LISTEN_URL to a direct way to the database",
    )
