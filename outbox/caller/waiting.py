"""Waiting until a notification is sent: `send` enqueues it, commits, and looks again and again.

It looks and does not LISTEN, which no pooler in transaction mode lets through. Each look is a
transaction of its own that ends at once, and the notification does not depend on who waits for it.
So nothing is lost when the waiter gives up, dies or loses its connection: once the enqueue is
committed, errors of looking are not raised, and the result says what was seen last.

What comes next, a statement or a pause, is told by a generator; only the doing differs between a
program that is asynchronous and one that is not.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Unpack, cast

import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row
from psycopg_pool import ConnectionPool

from outbox.caller.enqueue import enqueue
from outbox.caller.executable import Executable
from outbox.errors import OutboxError, refusal
from outbox.log.database import connect
from outbox.log.notifications import DEAD, SENT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterator
    from typing import TypeAlias
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncEngine

    from outbox.caller.enqueue import Arguments

    Where: TypeAlias = str | psycopg.Connection[Any] | ConnectionPool[Any] | sa.Engine
    AsyncWhere: TypeAlias = psycopg.AsyncConnection[Any] | AsyncEngine
    Row: TypeAlias = tuple[Any, ...] | None
    Steps: TypeAlias = Generator[Executable[Any] | float, Row, "Sending"]

WAIT: Final = 10.0
"""Seconds that are waited unless the caller says otherwise."""
FIRST_PAUSE: Final = 0.005
LONGEST_PAUSE: Final = 0.25
"""Seconds between two looks; each pause is half as long again as the one before."""

_FAILED = (psycopg.Error, sa.exc.SQLAlchemyError)
"""What a look may raise, such as for a lost connection or for a pool that has none left."""


class TransactionOpenError(OutboxError):
    """The connection is within a transaction, so what it has enqueued is not committed."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What is known of a notification after waiting for it."""

    id: UUID
    """The notification, which is kept and goes on whatever the state."""
    state: str
    """Its state when last seen, such as "pending" or "sent"."""
    message_id: str | None = None
    """WhatsApp's id of the message, once an attempt has one."""
    last_error: str | None = None
    """Why the last attempt failed, if one has."""

    @property
    def sent(self) -> bool:
        """Whether WhatsApp's server has taken it."""
        return self.state in SENT

    @property
    def ended(self) -> bool:
        """Whether it has ended without success; `outbox.requeue` gives it a new start."""
        return self.state in DEAD


def send(where: Where, *, wait: float = WAIT, **notification: Unpack[Arguments]) -> Sending:
    """Enqueue a notification in a transaction of its own, and wait until it is sent.

    Args:
        where: The URL of a database; a connection of psycopg that is in no transaction; or a pool
            of those or an engine of SQLAlchemy, of which each look has a connection to itself.
        wait: Seconds to wait at most; with 0 it only looks.
        notification: What `enqueue` takes.

    Returns:
        What became of it: sent, ended without success, or still queued. A connection that is lost
        while waiting is not raised.

    Raises:
        Refused: It breaks a rule, and is not enqueued.
        TransactionOpenError: The connection is within a transaction, and nothing was done.
        psycopg.Error: As any statement. When the connection is lost in the middle of the commit it
            is unknown whether it was enqueued: an `idempotency_key` makes repeating safe.
    """
    return _run(where, _sending(enqueue(**notification), wait))


async def send_async(
    where: AsyncWhere, *, wait: float = WAIT, **notification: Unpack[Arguments]
) -> Sending:
    """Do what `send` does, on an AsyncConnection of psycopg or an AsyncEngine of SQLAlchemy."""
    return await _run_async(where, _sending(enqueue(**notification), wait))


def wait_for(where: Where, id: UUID, seconds: float = WAIT) -> Sending:  # noqa: A002 - its name
    """Wait until a notification is sent or has ended without success, and return what it is.

    Args:
        where: As for `send`.
        id: The notification, whose enqueue has been committed.
        seconds: How long to wait at most; with 0 it only looks.

    Raises:
        TransactionOpenError: The connection is within a transaction.
        UnknownNotification: There is none with this id, or its enqueue is not committed.
    """
    return _run(where, _waiting(Sending(id, "pending"), seconds))


async def wait_for_async(where: AsyncWhere, id: UUID, seconds: float = WAIT) -> Sending:  # noqa: A002
    """Do what `wait_for` does, on an AsyncConnection of psycopg or an AsyncEngine of SQLAlchemy."""
    return await _run_async(where, _waiting(Sending(id, "pending"), seconds))


def _sending(statement: Executable[UUID], wait: float) -> Steps:
    row = yield statement
    assert row is not None  # noqa: S101 - the function gives an id or raises
    return (yield from _waiting(Sending(row[0], "pending"), wait, ours=True))


def _waiting(seen: Sending, seconds: float, *, ours: bool = False) -> Steps:
    """Look until it is over or the time is.

    What goes wrong is raised until it is known that there is such a notification; afterwards, or
    if it is ours, an exception would make the caller believe that nothing was enqueued.
    """
    until = time.monotonic() + seconds
    look = _look(seen.id)
    pause = FIRST_PAUSE
    known = ours
    while True:
        try:
            row = yield look
        except _FAILED:
            if not known:
                raise
        else:
            if row is not None:
                known = True
                seen = Sending(seen.id, *row)
            elif not known:
                raise refusal("unknown_notification", str(seen.id))
        left = until - time.monotonic()
        if seen.sent or seen.ended or left <= 0:
            return seen
        yield min(pause, left)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _look(id_: UUID) -> Executable[Any]:
    names = "state", "message_id", "last_error"
    columns: list[sa.ColumnElement[Any]] = [sa.column(name) for name in names]
    composed = sql.SQL(
        "select state, message_id, last_error from outbox.notification where id = {}"
    ).format(id_)
    table = sa.table("notification", schema="outbox")
    made = Executable[Any](composed, *columns).select_from(table)
    return made.where(sa.column("id", sa.Uuid()) == id_)


def _run(where: Where, steps: Steps) -> Sending:
    """Do each step, handing what it gave or raised to the next."""
    with _transactions(where) as execute:
        step = next(steps)
        try:
            while True:
                if isinstance(step, float):
                    time.sleep(step)
                    step = next(steps)
                    continue
                try:
                    row = execute(step)
                except Exception as error:  # noqa: BLE001 - the steps decide what to make of it
                    step = steps.throw(error)
                else:
                    step = steps.send(row)
        except StopIteration as end:
            return cast("Sending", end.value)


async def _run_async(where: AsyncWhere, steps: Steps) -> Sending:
    """Do the same without blocking; cancelling it leaves the notification as it is."""
    execute = _transactions_async(where)
    step = next(steps)
    try:
        while True:
            if isinstance(step, float):
                await asyncio.sleep(step)
                step = next(steps)
                continue
            try:
                row = await execute(step)
            except Exception as error:  # noqa: BLE001 - the steps decide what to make of it
                step = steps.throw(error)
            else:
                step = steps.send(row)
    except StopIteration as end:
        return cast("Sending", end.value)


@contextmanager
def _transactions(where: Where) -> Iterator[Callable[[Executable[Any]], Row]]:
    """Hand out what executes a statement in a transaction of its own and gives its first row."""
    if isinstance(where, psycopg.Connection):
        _check_idle(where)
        yield partial(_by_connection, where)
    elif isinstance(where, ConnectionPool):
        yield partial(_by_pool, where)
    elif isinstance(where, sa.Engine):
        yield partial(_by_engine, where)
    elif not isinstance(where, str):
        raise TypeError(
            "give a URL, an engine of SQLAlchemy, or a connection or pool of psycopg, "
            f"not {where!r}"
        )
    else:
        lasting = _Lasting(where)
        try:
            yield lasting.execute
        finally:
            lasting.close()


class _Lasting:
    """A connection to a URL, made anew whenever it has been lost."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None

    def execute(self, statement: Executable[Any]) -> Row:
        if self._connection is None or self._connection.closed:
            # With a pooler between or without one: nothing is prepared.
            self._connection = connect(self._url, "outbox send", pooled=True)
        return _by_connection(self._connection, statement)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _by_connection(connection: psycopg.Connection[Any], statement: Executable[Any]) -> Row:
    own = nullcontext() if connection.autocommit else connection.transaction()
    with own, connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement).fetchone()


def _by_pool(pool: ConnectionPool[Any], statement: Executable[Any]) -> Row:
    with pool.connection() as connection:
        return _by_connection(connection, statement)


def _by_engine(engine: sa.Engine, statement: Executable[Any]) -> Row:
    with engine.begin() as connection:
        row = connection.execute(statement).first()
    return None if row is None else tuple(row)


def _transactions_async(where: AsyncWhere) -> Callable[[Executable[Any]], Awaitable[Row]]:
    if isinstance(where, psycopg.AsyncConnection):
        _check_idle(where)
        return partial(_by_async_connection, where)
    return partial(_by_async_engine, where)


async def _by_async_connection(
    connection: psycopg.AsyncConnection[Any], statement: Executable[Any]
) -> Row:
    own = nullcontext() if connection.autocommit else connection.transaction()
    async with own, connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(statement)
        return await cursor.fetchone()


async def _by_async_engine(engine: AsyncEngine, statement: Executable[Any]) -> Row:
    async with engine.begin() as connection:
        row = (await connection.execute(statement)).first()
    return None if row is None else tuple(row)


def _check_idle(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    status = connection.info.transaction_status
    if status in {TransactionStatus.INTRANS, TransactionStatus.INERROR, TransactionStatus.ACTIVE}:
        raise TransactionOpenError(
            "The connection is within a transaction, and what that enqueues is sent only once it is"
            " committed: commit it first, or give the URL or an engine."
        )
