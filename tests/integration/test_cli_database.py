"""Every command that needs the database says what is wrong with it, and how to mend it."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.cli_runner import run
from tests.databases import database

COMMANDS = [
    ["status"],
    ["list"],
    ["show", "0" * 32],
    ["enqueue", "+447700900123", "--text", "x"],
    ["cancel", "0" * 32],
    ["requeue", "0" * 32],
    ["resume", "main"],
    ["tail"],
    ["top"],
    ["worker"],
]
EVERY = [*COMMANDS, ["migrate"]]
ENDING = [
    ["migrate"],
    *(command for command in COMMANDS if command[0] not in ("tail", "top", "worker")),
]
"""Those that end by themselves."""


@pytest.mark.parametrize("command", EVERY, ids=lambda command: command[0])
def test_without_a_database_both_ways_to_one_are_named(command: list[str]) -> None:
    """DATABASE_URL, or the embedded server, which is installed here."""
    ran = run(*command)
    assert (ran.code, ran.out) == (6, "")
    assert ran.err == (
        "error: No database is named: set DATABASE_URL (or give --database-url); for a PostgreSQL "
        'of your own on this machine: export DATABASE_URL="$(outbox postgres start)"\n'
    )


def test_without_the_embedded_extra_it_is_said_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command that is not there is not recommended."""
    monkeypatch.setattr("importlib.util.find_spec", {}.get)
    ran = run("status")
    assert ran.code == 6
    assert "install the extra first: pip install 'whatsapp-outbox[embedded]'" in ran.err


@pytest.mark.parametrize("command", EVERY, ids=lambda command: command[0])
def test_a_database_that_cannot_be_reached(command: list[str]) -> None:
    """The reason is the driver's, on one line, with what to look at."""
    ran = run(*command, url="postgresql://somebody:secret@127.0.0.1:1/nothing")
    assert (ran.code, ran.out) == (6, "")
    assert ran.err.startswith("error: The database cannot be reached: ")
    assert "Connection refused" in ran.err
    assert ran.err.endswith("; check DATABASE_URL, and that the server runs\n")
    assert "secret" not in ran.err


def test_the_embedded_database_that_does_not_run() -> None:
    """Who named it by its URL is told how to start it."""
    from outbox import embedded  # noqa: PLC0415

    ran = run("status", url=f"postgresql://postgres@/x?host={embedded.folder()}/nowhere")
    assert ran.code == 6
    assert ran.err.endswith("; start the embedded PostgreSQL with: outbox postgres start\n")


def test_a_url_that_cannot_be_read() -> None:
    """It is not repeated, since it may hold a password."""
    ran = run("status", url="mysql secret")
    assert ran.code == 6
    assert ran.err.startswith("error: The URL of the database cannot be read: write postgresql://")
    assert "secret" not in ran.err


def test_the_option_goes_before_the_environment(database_url: str) -> None:
    """Whoever gives it on the command line means it."""
    ran = run("status", "--database-url", database_url, url="postgresql://127.0.0.1:1/x")
    assert ran.code == 0


def test_any_spelling_of_the_url_is_taken(database_url: str) -> None:
    """Heroku writes postgres://, SQLAlchemy postgresql+psycopg://."""
    rest = urlsplit(database_url)
    for scheme in ("postgres", "postgresql+psycopg"):
        assert run("status", url=rest._replace(scheme=scheme).geturl()).code == 0


@pytest.fixture
def empty(server_url: str) -> Iterator[str]:
    """A database without an outbox."""
    with database(server_url, "empty") as url:
        yield url


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_database_without_an_outbox(empty: str, command: list[str]) -> None:
    """It has to be migrated, which the sentence says."""
    ran = run(*command, url=empty)
    assert ran.code == 6
    assert ran.err == "error: The database has no outbox yet; run: outbox migrate\n"


@pytest.mark.parametrize("command", ENDING, ids=lambda command: command[0])
def test_a_schema_that_is_newer_than_the_program(
    database_url: str, connection: psycopg.Connection, command: list[str]
) -> None:
    """It is said and used: releases overlap, and a rollback runs `migrate` of the older one."""
    connection.execute("update outbox_version set version_num = '9999'")
    ran = run(*command, url=database_url)
    assert ran.code != 6
    assert "is newer than this program: it is at revision 9999" in ran.err
    assert connection.execute("select version_num from outbox_version").fetchone() == ("9999",)


def test_a_schema_that_is_newer_cannot_be_migrated_back(
    database_url: str, connection: psycopg.Connection
) -> None:
    """An older program does not know how."""
    connection.execute("update outbox_version set version_num = '9999'")
    ran = run("migrate", "--downgrade", "base", "--yes", url=database_url)
    assert ran.code == 6
    assert ran.err.startswith("error: Revision 9999 is not known here")


def test_a_schema_that_is_older_than_the_program(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has to be migrated first."""
    monkeypatch.setattr("outbox.log.schema.known", lambda: ["0001", "0002"])
    ran = run("status", url=database_url)
    assert ran.code == 6
    assert ran.err.endswith("is at revision 0001, and 0002 is needed; run: outbox migrate\n")


def test_a_mistake_of_ours_is_a_sentence_too(
    database_url: str, connection: psycopg.Connection
) -> None:
    """It ends with 1, and a variable brings the traceback."""
    connection.execute("alter table outbox.restore_epoch rename column began_at to begun")
    ran = run("status", url=database_url)
    assert ran.code == 1
    assert ran.err.startswith("error: Unexpected UndefinedColumn: ")
    assert ran.err.endswith("; OUTBOX_TRACEBACK=1 shows where it comes from\n")


# migrate


def test_migrate_brings_an_empty_database_to_the_newest_revision(empty: str) -> None:
    """Run again it does nothing, so every release can run it."""
    ran = run("migrate", "--json", url=empty)
    assert ran.code == 0
    assert ran.json["before"] is None
    again = run("migrate", url=empty)
    assert again.out == f"The database is at revision {ran.json['after']} already.\n"
    assert run("status", url=empty).code == 0


def test_a_downgrade_is_asked_for_twice(database_url: str, connection: psycopg.Connection) -> None:
    """It deletes what was accepted, so it needs a yes."""
    ran = run("migrate", "--downgrade", "base", url=database_url, stdin="n\n")
    assert ran.code == 130
    assert "This deletes the outbox: its log, its queue, everything" in ran.err
    assert run("status", url=database_url).code == 0
    ran = run("migrate", "--downgrade", "base", "--yes", "--json", url=database_url)
    assert ran.json["after"] is None
    row = connection.execute("select to_regnamespace('outbox')").fetchone()
    assert row == (None,)


@pytest.mark.parametrize("option", ["--revision", "--downgrade"])
def test_a_revision_that_is_not_there_ends_with_2(database_url: str, option: str) -> None:
    """Nothing is migrated, and those that are there are named."""
    ran = run("migrate", option, "0815", url=database_url)
    assert ran.code == 2
    assert ran.err.startswith("error: There is no revision 0815: the revisions are 0001")
