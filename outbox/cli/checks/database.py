"""The database: whether it is named, its URL can be read, and it is reached."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from outbox.cli.checks.finding import Finding, broken, ok
from outbox.cli.exits import Failure, one_line
from outbox.cli.opening import mend, named, ways

if TYPE_CHECKING:
    from contextlib import ExitStack

    from outbox.log.database import Connection

SPELLING = "write postgresql://user:password@host:5432/database"
ESCAPES = f"{SPELLING}, with @ : / ? # % in user and password as %40 %3A %2F %3F %23 %25"


def reached(stack: ExitStack, opened: list[Connection], url: str | None) -> Finding:
    """It is named and can be reached.

    Args:
        stack: Closes the connection.
        opened: Takes the connection, if there is one.
        url: What DATABASE_URL says; never repeated, as it may hold a password.
    """
    import psycopg  # noqa: PLC0415

    from outbox.log.database import connect  # noqa: PLC0415

    if not url:
        return broken("none is named", ways())
    if is_misread(url):
        return broken("DATABASE_URL cannot be read", ESCAPES)
    found = named(url)
    began = time.perf_counter()
    try:
        connection = stack.enter_context(connect(found, "outbox doctor", pooled=True))
    except psycopg.OperationalError as error:
        return broken(f"cannot be reached: {one_line(error)}", mend(found))
    took = time.perf_counter() - began
    opened.append(connection)
    info = connection.info
    return ok(
        f"{info.user}@{info.host}:{info.port}/{info.dbname} reached within {took * 1000:.0f} ms"
    )


def is_misread(url: str) -> bool:
    """Whether libpq cannot read a URL, or takes a part of its password for something else.

    A password with an @ or a / in it ends early; what follows would be repeated by errors as the
    name of a host, a port or a database.
    """
    import psycopg  # noqa: PLC0415

    from outbox.log.database import libpq_url  # noqa: PLC0415

    try:
        given = psycopg.conninfo.conninfo_to_dict(libpq_url(named(url)))
    except (Failure, psycopg.ProgrammingError):
        return True
    port = str(given.get("port") or "5432").replace(",", "")
    return "@" in f"{given.get('host')}{given.get('dbname')}" or not port.isdigit()
