"""What `outbox doctor` asks the database: how it stands with the server, the schema and the load.

Each question stands alone: it is asked in a transaction of its own, which gives up after a few
seconds, so that one that cannot be answered leaves the others theirs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from uuid import uuid4

from psycopg.rows import class_row

from outbox.log.database import connect, query
from outbox.log.listen import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from outbox.log.database import Connection

Row = TypeVar("Row")

_ROUNDS = 5
"""How many round trips are measured; the shortest counts, as the others waited for something."""


@dataclass(frozen=True, slots=True)
class Server:
    """What the server says of itself."""

    version: str
    major: int
    fsync: str
    full_page_writes: str
    synchronous_commit: str
    replication_role: str


@dataclass(frozen=True, slots=True)
class Clock:
    """How far away the server is."""

    round_trip: float
    """Seconds."""
    ahead: float
    """By how many seconds the server's clock is ahead of this machine's, below 0 behind."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A month of the log."""

    name: str
    current: bool
    """It is this month's."""
    there: bool
    """A table of this name is there."""
    attached: bool
    """It is part of the log."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger that should be there, and is not as it should be."""

    relation: str
    name: str
    state: Literal["missing", "disabled", "changed"]


@dataclass(frozen=True, slots=True)
class Restore:
    """The restore epoch in force."""

    epoch: int
    began_at: datetime
    unnoticed: bool
    """The database has been restored since, and no worker has begun a new epoch."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit to connections, and how many there are."""

    name: str
    allowed: int
    used: int

    @property
    def free(self) -> int:
        """How many more there may be."""
        return max(self.allowed - self.used, 0)


@dataclass(frozen=True, slots=True)
class Connected:
    """Connections of the same name."""

    application: str
    number: int
    here: bool
    """All of them are to this database."""
    is_hidden: bool
    """They are other roles', and this one may not see what they do."""


@dataclass(frozen=True, slots=True)
class Open:
    """A transaction that has been open for long."""

    pid: int | None
    """None if it is prepared, and so belongs to no session."""
    application: str
    """The session's name, or the prepared transaction's."""
    state: str
    seconds: float


@dataclass(frozen=True, slots=True)
class DeadRows:
    """A table that vacuum has not kept up with."""

    name: str
    live: int
    dead: int
    vacuumed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes."""

    database: int
    log: int
    content: int
    media: int
    whatsapp: int


def server(connection: Connection) -> Server:
    """Return what the server says of itself."""
    return _one(connection, Server, "doctor_server")


def clock(connection: Connection) -> Clock:
    """Measure how far away the server is, and how much its clock differs from ours."""
    best: Clock | None = None
    for _ in range(_ROUNDS):
        began, sent = time.perf_counter(), time.time()
        row = connection.execute("select extract(epoch from clock_timestamp())::float8").fetchone()
        took = time.perf_counter() - began
        if row and (best is None or took < best.round_trip):
            best = Clock(took, row[0] - (sent + took / 2))
    if best is None:
        raise RuntimeError("the server did not tell its time")
    return best


def partitions(connection: Connection) -> list[Partition]:
    """Return the log's partitions of this month and the three that follow."""
    return _all(connection, Partition, "doctor_partitions")


def failing_triggers(connection: Connection) -> list[Trigger]:
    """Return the triggers of the log that are not as they should be."""
    return _all(connection, Trigger, "doctor_guards")


def restore(connection: Connection) -> Restore:
    """Return the restore epoch in force, without beginning a new one."""
    return _one(connection, Restore, "doctor_restore")


def limits(connection: Connection) -> list[Limit]:
    """Return the limits to connections that hold here, the server's first."""
    return _all(connection, Limit, "doctor_limits")


def connected(connection: Connection) -> list[Connected]:
    """Return who is connected to the server besides us, the most first."""
    return _all(connection, Connected, "doctor_connections")


def long_open(connection: Connection, seconds: float) -> list[Open]:
    """Return the transactions of this database that have been open for so long."""
    return _all(connection, Open, "doctor_horizon", {"seconds": seconds})


def dead_rows(connection: Connection) -> list[DeadRows]:
    """Return the tables that hold many dead rows, the worst first."""
    return _all(connection, DeadRows, "doctor_dead_rows")


def sizes(connection: Connection) -> Sizes:
    """Return how large the database and its parts are."""
    return _one(connection, Sizes, "doctor_sizes")


def dead_letters(connection: Connection, account: str) -> dict[str, int]:
    """Return how many ended without success since yesterday, by state; not those withdrawn."""
    with connection.transaction():
        _hurry(connection)
        rows = connection.execute(query("doctor_dead_letters"), {"account": account})
        return dict(rows.fetchall())


def hears(connection: Connection, url: str, seconds: float) -> bool:
    """Whether a connection by this URL hears what is notified on ours, within so many seconds.

    Raises:
        psycopg.OperationalError: It cannot be made.
    """
    token = f"doctor {uuid4()}"
    with connect(url, "outbox doctor listener", pooled=True) as listener:
        listener.execute(f"listen {CHANNEL}")
        connection.execute("select pg_notify(%s, %s)", (CHANNEL, token))
        give_up = time.monotonic() + seconds
        while (left := give_up - time.monotonic()) > 0:
            for notify in listener.notifies(timeout=left, stop_after=1):
                if notify.payload == token:
                    return True
    return False


def _hurry(connection: Connection) -> None:
    """Give up soon: for this transaction alone, since a pooler would hand a setting on."""
    connection.execute("set local statement_timeout = '10s'")
    connection.execute("set local lock_timeout = '2s'")


def _all(
    connection: Connection, kind: type[Row], name: str, values: Mapping[str, Any] | None = None
) -> list[Row]:
    with connection.transaction():
        _hurry(connection)
        with connection.cursor(row_factory=class_row(kind)) as cursor:
            return cursor.execute(query(name), values).fetchall()


def _one(connection: Connection, kind: type[Row], name: str) -> Row:
    rows = _all(connection, kind, name)
    if not rows:
        raise RuntimeError(f"the database has no row for {name}")
    return rows[0]
