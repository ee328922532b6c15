"""Migrations go up and down again, for one migrator at a time."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from outbox.log import migrate
from tests.account import Account
from tests.databases import database
from tests.migration.listing import listing

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    """A database without an outbox."""
    with database(server_url, f"empty_{secrets.token_hex(4)}") as url:
        yield url


def schema_of(url: str) -> str:
    """Return the listing of a database's schema; nothing if it has none."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select coalesce(to_regnamespace('outbox'), to_regnamespace('whatsapp'),"
            " to_regnamespace('audit'))"
        ).fetchone()
        return listing(connection) if row and row[0] else ""


def revisions(url: str) -> list[str]:
    """Return the revisions that a database says it is at."""
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("select version_num from outbox_version")]


def test_up_and_down_and_up_again(empty_url: str) -> None:
    """A downgrade to base leaves nothing of the outbox, and the next upgrade makes it anew."""
    migrate.upgrade(empty_url)
    first = schema_of(empty_url)
    with psycopg.connect(empty_url, autocommit=True) as connection:
        Account(connection).enqueue()
        # What whatsmeow makes itself is neither seen nor in the way.
        connection.execute("create table whatsapp.whatsmeow_device (jid text primary key)")
    migrate.upgrade(empty_url)
    assert schema_of(empty_url) == first
    migrate.downgrade(empty_url, "base")
    assert schema_of(empty_url) == ""
    assert revisions(empty_url) == []
    migrate.upgrade(empty_url)
    assert schema_of(empty_url) == first
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("select count(*) from outbox.event").fetchone() == (0,)


def test_alembics_own_command_migrates(empty_url: str) -> None:
    """`alembic` finds the migrations from the root of the checkout, and the database in its URL."""

    def alembic(*arguments: str) -> str:
        done = subprocess.run(
            [Path(sys.executable).with_name("alembic"), *arguments],
            check=False,
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": empty_url},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    alembic("upgrade", "head")
    assert "table event\n" in schema_of(empty_url)
    assert "0001 (head)" in alembic("current")
    alembic("downgrade", "base")
    assert schema_of(empty_url) == ""
    alembic("upgrade", "head")
    assert revisions(empty_url) == ["0001"]


def test_two_migrators_at_once(empty_url: str) -> None:
    """Releases that start together wait for each other: one migrates, and none fails."""
    program = "import sys; from outbox.log.migrate import upgrade; upgrade(sys.argv[1])"
    migrators = [subprocess.Popen([sys.executable, "-c", program, empty_url]) for _ in range(2)]
    assert [migrator.wait() for migrator in migrators] == [0, 0]
    assert "table event\n" in schema_of(empty_url)
    assert revisions(empty_url) == ["0001"]


def test_a_failed_migration_leaves_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration is one transaction: what fails in its last step was never there."""
    execute = migrate.execute_files

    def execute_and_fail(*arguments: object) -> None:
        execute(*arguments)  # type: ignore[arg-type]
        raise ZeroDivisionError

    monkeypatch.setattr(migrate, "execute_files", execute_and_fail)
    with pytest.raises(ZeroDivisionError):
        migrate.upgrade(empty_url)
    assert schema_of(empty_url) == ""
    monkeypatch.undo()
    migrate.upgrade(empty_url)
    assert "table event\n" in schema_of(empty_url)


@pytest.mark.parametrize("scheme", ["postgres://", "postgresql://", "postgresql+psycopg://"])
def test_any_spelling_of_a_url_migrates(empty_url: str, scheme: str) -> None:
    """Heroku's and SQLAlchemy's ways to write a URL are understood."""
    migrate.upgrade(empty_url.replace("postgresql://", scheme))
    assert revisions(empty_url) == ["0001"]
