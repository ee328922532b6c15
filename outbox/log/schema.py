"""Which revision the database's schema is at, found without the library that migrates it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from outbox.log.migrate import VERSION_TABLE, script_location

if TYPE_CHECKING:
    from outbox.log.database import Connection


def known() -> list[str]:
    """Return the revisions that this release knows, the newest last: its files begin with them."""
    files = (script_location() / "versions").glob("[0-9]*_*.py")
    return sorted(file.name.partition("_")[0] for file in files)


def revision(connection: Connection) -> str | None:
    """Return the revision of the database's schema, or None if it has no outbox."""
    row = connection.execute("select to_regclass(%s)", (VERSION_TABLE,)).fetchone()
    if row is None or row[0] is None:
        return None
    row = connection.execute(
        sql.SQL("select version_num from {}").format(sql.Identifier(VERSION_TABLE))
    ).fetchone()
    return row[0] if row else None
