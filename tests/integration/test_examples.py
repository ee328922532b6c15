"""The examples do what they say, each on a database of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from outbox.embedded import NotInstalledError, programs

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(command: list[str], url: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with the database that it shall use."""
    environment = {**os.environ, "DATABASE_URL": url}
    return subprocess.run(
        command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=120, check=True
    )


def count(connection: psycopg.Connection, query: LiteralString) -> int:
    """Return the number that a query gives."""
    row = connection.execute(query).fetchone()
    assert row is not None
    found: int = row[0]
    return found


@pytest.mark.parametrize(
    ("name", "notifications", "said"),
    [
        ("python_psycopg.py", 23, ["enqueued 20", "refused: idempotency_conflict", "it stays"]),
        ("python_sqlalchemy.py", 22, ["refused: bad_recipient", "refused: unknown_media"]),
        ("python_async.py", 3, ["refused: idempotency_conflict 23O01", "it stays queued"]),
    ],
)
def test_python(
    database_url: str,
    connection: psycopg.Connection,
    tmp_path: Path,
    name: str,
    notifications: int,
    said: list[str],
) -> None:
    """It runs from anywhere, enqueues what it says, and shows what a refusal looks like."""
    printed = run([sys.executable, str(EXAMPLES / name)], database_url, tmp_path).stdout
    for words in said:
        assert words in printed
    assert count(connection, "select count(*) from outbox.notification") == notifications


def test_python_enqueues_with_its_own_row(
    database_url: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    """The order of the example names its notification."""
    run([sys.executable, str(EXAMPLES / "python_sqlalchemy.py")], database_url, tmp_path)
    query = "select count(*) from orders o join outbox.notification n on n.id = o.notified"
    assert count(connection, query) == 1


def test_psql(database_url: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    """SQL alone enqueues, is refused with rule and hint, sees what became of it, and cancels."""
    psql = find_psql()
    if psql is None:
        pytest.skip("there is no psql on this machine")
    command = [psql, "--no-psqlrc", "--file", str(EXAMPLES / "psql.sql"), database_url]
    done = run(command, database_url, tmp_path)
    assert "ERROR:  22O01: Not a recipient: 07700 900123" in done.stderr
    assert "CONSTRAINT NAME:  bad_recipient" in done.stderr
    states = connection.execute("select state, count(*) from outbox.notification group by 1")
    assert dict(states.fetchall()) == {"cancelled": 1, "pending": 20}
    assert count(connection, "select count(*) from orders where notified is not null") == 1


def test_node(database_url: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    """Another language enqueues in its own transaction and reads from an error what to do."""
    node = node_with_pg(tmp_path)
    printed = run([node, "enqueue.mjs"], database_url, tmp_path).stdout.splitlines()
    assert printed[-1] == "enqueued 20"
    refused = [json.loads(line) for line in printed if line.startswith("{")]
    assert [(error["code"], error["constraint"]) for error in refused] == [
        ("22O01", "bad_recipient"),
        ("23O01", "idempotency_conflict"),
    ]
    assert refused[0]["message"] == "Not a recipient: 07700 900123"
    assert "international form" in refused[0]["hint"]
    assert count(connection, "select count(*) from outbox.notification") == 21
    assert count(connection, "select count(*) from outbox.media") == 1
    deferred = "select count(*) from outbox.notification where due_at > now() + '4 minutes'"
    assert count(connection, deferred) == 1


def node_with_pg(folder: Path) -> str:
    """Copy the example and install what it needs, or skip with the reason."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("there is no Node.js with npm on this machine")
    for file in (EXAMPLES / "node").glob("*.*"):
        shutil.copy(file, folder)
    install = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    try:
        subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"npm cannot install pg: {error.stderr.strip().splitlines()[:1]}")
    except subprocess.TimeoutExpired:
        pytest.skip("npm could not install pg within a minute")
    return node


def find_psql() -> str | None:
    """Return the wheel's psql, or the machine's."""
    try:
        wheel = programs.installed() / "psql"
    except NotInstalledError:
        return shutil.which("psql")
    return str(wheel) if wheel.exists() else shutil.which("psql")
