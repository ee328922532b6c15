"""The migrations add up to the schema that is written down, made of one file an object."""

import importlib.util
import re
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from outbox.log.migrate import script_location
from tests.migration import listing

SQL = script_location() / "sql"
KINDS = ("aggregates", "functions", "tables", "views")
"""Folders whose files make one object each."""
CREATE = re.compile(
    r"^create (?:or replace )?(?:unique )?(\w+) (?:audit\.|outbox\.)?(\w+)",
    re.MULTILINE | re.IGNORECASE,
)


def files_of(migration: Path) -> tuple[str, ...]:
    """Return which SQL files a migration runs, in its order."""
    spec = importlib.util.spec_from_file_location(migration.stem, migration)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    files = module.FILES
    assert isinstance(files, tuple)
    return files


@pytest.mark.parametrize(
    "migration", sorted((script_location() / "versions").glob("*.py")), ids=lambda path: path.stem
)
def test_every_file_is_used_once(migration: Path) -> None:
    """No SQL file of a revision is forgotten, and none runs twice."""
    folder = SQL / migration.stem.partition("_")[0]
    there = {str(f.relative_to(folder).with_suffix("")) for f in folder.rglob("*.sql")}
    assert Counter(files_of(migration)) == Counter(there)


@pytest.mark.parametrize(
    "file", sorted(SQL.rglob("*.sql")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_a_file_makes_one_object(file: Path) -> None:
    """A function or table lies in the file of its name, with what belongs to it and no other."""
    made = CREATE.findall(file.read_text("utf-8"))
    kinds = {name: {name.removesuffix("s")} for name in (*KINDS, "triggers")}
    kind = kinds[file.parent.name]
    if file.parent.name == "triggers":
        assert {one for one, _ in made} == kind
        return
    objects = [(one, name) for one, name in made if f"{one}s" in {*KINDS, "triggers"}]
    assert objects == [(file.parent.name.removesuffix("s"), file.stem)]
    assert all(one in kind | {"index", "sequence"} for one, _ in made)


def test_the_schema_is_the_one_that_is_written_down(connection: psycopg.Connection) -> None:
    """Nobody changes the schema unseen: what has changed on purpose is written with `make schema`.

    The same on every supported version of PostgreSQL.
    """
    assert listing.listing(connection).splitlines() == listing.FILE.read_text("utf-8").splitlines()
