"""Rebuilds that are kept: the outbox as it was at a moment, in a schema for any query.

Each notes in the schema's comment what it holds, by which it is found again; no other schema is
ever dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from outbox.log.replay import fresh_name, one_snapshot, rebuild

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import LiteralString

    from outbox.log.database import Connection
    from outbox.log.replay import Archived

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Replay:
    """A schema that holds replayed projections.

    Attributes:
        schema: Its name.
        until: The moment that it shows; None if it was made to be swapped in, and that failed.
        made_at: When it was made.
        bytes: What it takes up on the disk.
    """

    schema: str
    until: datetime | None
    made_at: datetime
    bytes: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What replayed projections come to.

    Attributes:
        notifications: How many are in each state that any is in, the most first.
        recipients: How many have counters.
        connections: The state of each account's connection.
    """

    notifications: dict[str, int]
    recipients: int
    connections: dict[str, str]


def keep(
    connection: Connection,
    until: datetime,
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    archived: Archived | None = None,
) -> str:
    """Rebuild the projections as they were at a moment into a schema that stays; return its name.

    It is there when this returns, and not at all if it does not, whatever has ended it.

    Args:
        connection: Where the log is; in no transaction.
        until: What was recorded before is in it.
        name: The schema's; one that is free unless given.
        progress: Told now and then how many positions are done, and of how many.
        archived: Gives the lines of an archive; None where there is none to be read.

    Raises:
        PartlyArchivedError: There are archives, and nobody gives their lines.
        ValueError: The name is none that needs no quotes, or there is such a schema.
    """
    schema = name or fresh_name()
    if not _NAME.fullmatch(schema) or schema.startswith("pg_"):
        raise ValueError(
            f"{schema!r} cannot be the schema's name: write lower-case letters, digits and _, not "
            f"beginning with a digit or pg_, 63 at most"
        )
    note = {"until": until.isoformat(), "made_at": _now(connection).isoformat()}
    try:
        with one_snapshot(connection):
            rebuild(connection, schema, until, progress, note, archived)
            connection.execute("select outbox.finish_replay(%s)", (schema,))
    except psycopg.errors.DuplicateSchema:
        raise ValueError(f"There is a schema {schema} already: give another name") from None
    return schema


def kept(connection: Connection) -> list[Replay]:
    """Return the replays that nobody has dropped, by name."""
    return [
        Replay(
            schema,
            datetime.fromisoformat(note["until"]) if "until" in note else None,
            datetime.fromisoformat(note["made_at"]),
            size,
        )
        for schema, note, size in connection.execute(
            "select schema, note, bytes from outbox.replays() where note ? 'made_at'"
        )
    ]


def drop(connection: Connection, schema: str) -> bool:
    """Drop a replay; return whether there was one of this name. Any other schema stays."""
    if schema not in {one.schema for one in kept(connection)}:
        return False
    connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))
    return True


def standing(connection: Connection, schema: str) -> Standing:
    """Return what the projections of a schema come to."""

    def rows(statement: LiteralString) -> list[tuple[str, int]]:
        written = sql.SQL(statement).format(sql.Identifier(schema))
        return [(row[0], row[1]) for row in connection.execute(written)]

    return Standing(
        dict(rows("select state, count(*) from {}.notification group by 1 order by 2 desc, 1")),
        rows("select 'all', count(*) from {}.recipient")[0][1],
        {a: str(s) for a, s in rows("select account, state from {}.connection order by 1")},
    )


def _now(connection: Connection) -> datetime:
    row = connection.execute("select statement_timestamp()").fetchone()
    if row is None or not isinstance(row[0], datetime):
        raise RuntimeError("a select without a table returned no row")
    return row[0]
