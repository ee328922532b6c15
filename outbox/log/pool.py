"""A few connections shared by the requests of the HTTP API."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import psycopg
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from outbox.log.database import AsyncConnection, connect_arguments, libpq_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outbox.log.database import Connection

Pool: TypeAlias = ConnectionPool[psycopg.Connection[tuple[Any, ...]]]
AsyncPool: TypeAlias = AsyncConnectionPool[AsyncConnection]

MOST: Final = 4
"""Connections: Heroku's smallest database has 20 for everybody."""
MOST_ASYNC: Final = 2
"""The same for an event loop, whose statements are few, short and shared."""
PATIENCE: Final = 5.0
"""Seconds that a request waits for a connection."""

_LIMITS = "set local lock_timeout = '5s'; set local statement_timeout = '20s'"
"""A caller's open transaction may hold what a request needs, and must not hold all connections."""


def open_pool(url: str, application: str, *, pooled: bool = False) -> Pool:
    """Return a pool whose connections commit each statement; it opens them in the background.

    Args:
        url: Any spelling of a PostgreSQL URL.
        application: The name under which pg_stat_activity shows the connections.
        pooled: A pooler in transaction mode is between: use no prepared statements.
    """
    return ConnectionPool(
        libpq_url(url),
        kwargs=connect_arguments(application, pooled=pooled),
        min_size=1,
        max_size=MOST,
        timeout=PATIENCE,
        check=ConnectionPool.check_connection,
        open=True,
        name=application,
    )


def async_pool(url: str, application: str, *, pooled: bool = False) -> AsyncPool:
    """Return such a pool for an event loop, in which it has to be opened."""
    return AsyncConnectionPool(
        libpq_url(url),
        kwargs=connect_arguments(application, pooled=pooled),
        min_size=1,
        max_size=MOST_ASYNC,
        timeout=PATIENCE,
        check=AsyncConnectionPool.check_connection,
        open=False,
        name=application,
    )


@contextmanager
def transaction(pool: Pool) -> Iterator[Connection]:
    """Hand out a connection within a transaction that waits for nobody for long.

    Raises:
        psycopg.OperationalError: The database is not to be had within `PATIENCE`.
    """
    with pool.connection() as connection, connection.transaction():
        connection.execute(_LIMITS)
        yield connection
