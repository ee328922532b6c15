"""Connections to PostgreSQL, made nowhere else."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg

if TYPE_CHECKING:
    from sqlalchemy import Engine

Connection = psycopg.Connection[tuple[Any, ...]]
AsyncConnection = psycopg.AsyncConnection[tuple[Any, ...]]

# A peer that is gone without a word is noticed within half a minute, not after TCP's two hours.
_KEEP_ALIVE = {
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
    "connect_timeout": "10",
}


def libpq_url(url: str) -> str:
    """Return the URL as libpq reads it: SQLAlchemy's driver name is dropped.

    Heroku's DATABASE_URL says `postgres://`, SQLAlchemy's `postgresql+psycopg://`.
    """
    scheme, separator, rest = url.partition("://")
    return f"postgresql://{rest}" if separator and scheme.startswith("postgres") else url


def connect(url: str, application: str, *, pooled: bool = False) -> Connection:
    """Open a connection that commits each statement.

    Args:
        url: Any spelling of a PostgreSQL URL.
        application: The name under which pg_stat_activity shows the connection.
        pooled: A pooler in transaction mode is between: use no prepared statements (psycopg#280).

    Raises:
        psycopg.OperationalError: The server cannot be reached.
    """
    return psycopg.connect(libpq_url(url), **connect_arguments(application, pooled=pooled))


def connect_arguments(application: str, *, pooled: bool = False) -> dict[str, Any]:
    """Return what every connection is opened with besides its URL, as `connect` explains it."""
    return {
        "autocommit": True,
        "application_name": application,
        "prepare_threshold": None if pooled else 2,
        **_KEEP_ALIVE,
    }


def engine(url: str) -> Engine:
    """Return a SQLAlchemy engine for any spelling of a PostgreSQL URL; only migrations need one."""
    from sqlalchemy import create_engine  # noqa: PLC0415  # a worker has no use for it
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    return create_engine(
        libpq_url(url).replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool
    )


@cache
def query(name: str) -> LiteralString:
    """Return the text of one of the queries in `outbox/log/sql`."""
    text: LiteralString = files("outbox.log").joinpath("sql", f"{name}.sql").read_text()
    return text
