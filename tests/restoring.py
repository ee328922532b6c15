"""Dumps and restores of a test's database, with the programs of its own server."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from outbox import embedded
from outbox.embedded import NotInstalledError, Server
from outbox.embedded.programs import installed, run
from tests.databases import unused_home
from tests.running import until


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, or skip the test for want of it."""
    given = os.environ.get("OUTBOX_TEST_BINARIES")
    if given:
        return str(Path(given) / name)
    found = shutil.which(name) if os.environ.get("DATABASE_URL") else None
    if found:
        return found
    try:
        return str(installed() / name)
    except NotInstalledError:
        pytest.skip(f"there is no {name} here")


def dump(source: str) -> bytes:
    """Return a whole database as statements of SQL."""
    done = subprocess.run(
        [program("pg_dump"), "--no-owner", source], check=False, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def copy_by_dump(source: str, target: str) -> None:
    """Restore a dump of one database into another, which is empty."""
    text = dump(source)
    restored = subprocess.run(
        [program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", target],
        check=False,
        input=text,
        capture_output=True,
    )
    assert restored.returncode == 0, restored.stderr.decode()


def shift_transaction_ids(connection: psycopg.Connection, by: int) -> None:
    """Make a database what its server would have written had it given out higher ids."""
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")  # no trigger fires
        # The epoch's own id must not be that of the restore by accident: it tells of the restore.
        for table, shift in (("event", by), ("restore_epoch", by and 1_000_000)):
            connection.execute(
                sql.SQL("update outbox.{} set xid = (xid::text::bigint + %s)::text::xid8").format(
                    sql.Identifier(table)
                ),
                (shift,),
            )
        for column in ("snapshot", "towards"):
            connection.execute(
                sql.SQL("""
                    update outbox.cursor c set {column} = concat(
                      pg_snapshot_xmin({column})::text::bigint + %(by)s, ':',
                      pg_snapshot_xmax({column})::text::bigint + %(by)s, ':',
                      (select string_agg((x::text::bigint + %(by)s)::text, ',' order by x)
                       from pg_snapshot_xip({column}) x))::pg_snapshot
                    where {column}::text <> '1:1:'
                """).format(column=sql.Identifier(column)),
                {"by": by},
            )


@contextmanager
def standby_of(server_url: str) -> Iterator[str]:
    """Copy the test server as it runs and start the copy as its standby; hand out the URL."""
    with base_backup(server_url) as copy:
        yield copy.start().url()


@contextmanager
def base_backup(server_url: str) -> Iterator[Server]:
    """Copy the test server as it runs; hand out the copy, which follows it once it is started."""
    if os.environ.get("DATABASE_URL"):
        pytest.skip("a server that is not ours is not copied")
    binaries = os.environ.get("OUTBOX_TEST_BINARIES")
    with unused_home() as home:
        copy = embedded.server(home, binaries=Path(binaries) if binaries else None)
        try:
            data = copy.home / "data"
            for path in data.iterdir():  # the folder stays, with its owner
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            backup = [str(copy.binaries / "pg_basebackup"), "-d", server_url, "-D", str(data)]
            run([*backup, "-R", "-c", "fast", "-X", "stream"], copy.home)
            yield copy
        finally:
            copy.remove()


def recover(copy: Server, restore_point: str) -> str:
    """Start a copy as its original was at a restore point, as a server of its own; return its URL.

    See https://www.postgresql.org/docs/current/continuous-archiving.html, point-in-time recovery.
    """
    with (copy.home / "data/postgresql.auto.conf").open("a") as settings:
        settings.write(f"recovery_target_name = '{restore_point}'\n")
        settings.write("recovery_target_action = 'promote'\n")
    url = copy.start().url()
    with psycopg.connect(url, autocommit=True) as connection:
        until(
            lambda: connection.execute("select true where not pg_is_in_recovery()").fetchone(),
            "the copy has reached the restore point",
        )
    return url
