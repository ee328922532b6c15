"""What a period of the log holds, for the report of an incident: everything through one snapshot.

How long the period is does not change how much is kept in memory: it is counted in SQL, of what is
listed one by one there are at most `MOST` each, and events are streamed.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from psycopg.rows import class_row, dict_row

from outbox.log.database import query
from outbox.log.findings import (
    Affected,
    Cause,
    Dead,
    Deeds,
    Doubled,
    Doubt,
    Held,
    Incident,
    Late,
    Listed,
    Loss,
    Mark,
    Outage,
    Restart,
    Step,
)
from outbox.log.history import Span
from outbox.log.months import archives
from outbox.log.replay import PartlyArchivedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outbox.log.database import Connection

MOST: Final = 100
"""Rows of a list."""
_STEPS: Final = 120
"""At most so many of them make a period."""
_LENGTHS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
        *(3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400),
    )
)
"""Lengths of a step that people can read a clock by."""

T = TypeVar("T")


class NothingError(LookupError):
    """In the whole period there was nothing to report."""


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Read through one snapshot, and write nothing, until the block ends."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        # Before the snapshot is taken: no month leaves the log that it sees.
        connection.execute("lock table outbox.event in access share mode")
        yield


def gather(
    connection: Connection, since: datetime, until: datetime, account: str | None = None
) -> Incident:
    """Return what happened from a moment until before another one.

    Args:
        connection: Where the log is; within `snapshot`, so that all of it agrees.
        since: Where the period begins.
        until: Where it ends, and at the latest now.
        account: Only its; otherwise all accounts'.

    Raises:
        NothingError: There was no event and no outage, and nothing waited.
        PartlyArchivedError: A month of the period lies in an archive alone.
    """
    _see_whole(connection, since, until)
    values: dict[str, Any] = {"since": since, "until": until, "account": account, "most": MOST}
    row = connection.execute(query("incident_extent"), values, prepare=False).fetchone()
    if row is None:
        raise RuntimeError("a select of one row returned none")
    now, until, events, accounts = row
    if until <= since:
        raise NothingError
    values |= {"until": until, "step": _step(until - since)}
    steps = _rows(connection, "steps", Step, values)
    outages = _rows(connection, "outages", Outage, values)
    if not events and not outages and not any(step.open for step in steps):
        raise NothingError
    return Incident(
        since=since,
        until=until,
        now=now,
        account=account,
        events=events,
        accounts=frozenset(accounts),
        step=values["step"],
        steps=steps,
        bands=_rows(connection, "bands", Span, values),
        outages=outages,
        held=_rows(connection, "held", Held, values),
        late=_listed(connection, "late", Late, values),
        recipients=_listed(connection, "recipients", Affected, values),
        causes=_listed(connection, "causes", Cause, values),
        losses=_listed(connection, "losses", Loss, values),
        dead=_rows(connection, "dead", Dead, values),
        doubled=_listed(connection, "doubled", Doubled, values),
        doubts=_listed(connection, "doubts", Doubt, values),
        restarts=_listed(connection, "restarts", Restart, values),
        marks=_listed(connection, "marks", Mark, values),
        deeds=_listed(connection, "deeds", Deeds, values),
    )


def lines(connection: Connection, incident: Incident) -> Iterator[str]:
    """Yield the events of an incident as lines of JSON, by position, without their line ends.

    Args:
        connection: As `gather` had it, within the same `snapshot`.
        incident: Whose events.
    """
    values = {"since": incident.since, "until": incident.until, "account": incident.account}
    with connection.cursor("incident_events") as cursor:
        cursor.itersize = 1000
        for (line,) in cursor.execute(query("incident_events"), values):
            yield line


def _see_whole(connection: Connection, since: datetime, until: datetime) -> None:
    """See that all of a period is in the database."""
    for one in archives(connection):
        if one.dropped_at is not None and one.began_at < until and since < one.ended_at:
            raise PartlyArchivedError(
                f"The log is not whole there: {one.partition} lies in an archive alone; put it "
                f"back first with: outbox archive restore {one.began_at.astimezone(UTC):%Y-%m}"
            )


def _step(length: timedelta) -> timedelta:
    """Return how long the steps of a period are."""
    for step in _LENGTHS:
        if length <= step * _STEPS:
            return step
    days = -(-length // (timedelta(days=1) * _STEPS))
    return timedelta(days=days)


def _rows(connection: Connection, name: str, kind: type[T], values: dict[str, Any]) -> list[T]:
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(query(f"incident_{name}"), values, prepare=False).fetchall()


def _listed(connection: Connection, name: str, kind: type[T], values: dict[str, Any]) -> Listed[T]:
    """Return the rows of a query that says how many there are, in its last column."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query(f"incident_{name}"), values, prepare=False).fetchall()
    columns = {field.name: field.name.rstrip("_") for field in fields(kind)}  # type: ignore[arg-type]
    made = [kind(**{name: row[column] for name, column in columns.items()}) for row in rows]
    return Listed(made, rows[0]["total"] if rows else 0)
