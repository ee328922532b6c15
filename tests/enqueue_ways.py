"""The ways in which a Python program executes what `enqueue` returns, each in a transaction."""

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from outbox.caller.executable import Executable

End = Literal["commit", "rollback"]
Way = Callable[[str, list[Executable[Any]], End], list[Any]]
"""Takes a URL, statements and how their transaction ends; gives the first column of all rows."""


def driver(url: str) -> URL:
    """Return the URL by which SQLAlchemy connects through psycopg."""
    return make_url(url).set(drivername="postgresql+psycopg")


def psycopg_sync(url: str, statements: list[Executable[Any]], end: End) -> list[Any]:
    """Execute on a connection of psycopg."""
    with psycopg.connect(url) as connection:
        found = [row[0] for one in statements for row in connection.execute(one).fetchall()]
        getattr(connection, end)()
    return found


def psycopg_async(url: str, statements: list[Executable[Any]], end: End) -> list[Any]:
    """Execute on an asynchronous connection of psycopg."""

    async def run() -> list[Any]:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            found = []
            for one in statements:
                cursor = await connection.execute(one)
                found += [row[0] for row in await cursor.fetchall()]
            await getattr(connection, end)()
        return found

    return asyncio.run(run())


def sqlalchemy_session(url: str, statements: list[Executable[Any]], end: End) -> list[Any]:
    """Execute in a session of SQLAlchemy's ORM."""
    engine = create_engine(driver(url))
    try:
        with Session(engine) as session:
            found = [value for one in statements for value in session.execute(one).scalars()]
            getattr(session, end)()
    finally:
        engine.dispose()
    return found


def sqlalchemy_connection(url: str, statements: list[Executable[Any]], end: End) -> list[Any]:
    """Execute on a connection of SQLAlchemy's engine."""
    engine = create_engine(driver(url))
    try:
        with engine.connect() as connection:
            found = [value for one in statements for value in connection.execute(one).scalars()]
            getattr(connection, end)()
    finally:
        engine.dispose()
    return found


def _asynchronously(
    url: str,
    statements: list[Executable[Any]],
    end: End,
    kind: type[AsyncSession | AsyncConnection],
) -> list[Any]:
    async def run() -> list[Any]:
        engine = create_async_engine(driver(url))
        try:
            async with kind(engine) as open_:
                found: list[Any] = []
                for one in statements:
                    found += (await open_.execute(one)).scalars()
                await getattr(open_, end)()
        finally:
            await engine.dispose()
        return found

    return asyncio.run(run())


def sqlalchemy_async_session(url: str, statements: list[Executable[Any]], end: End) -> list[Any]:
    """Execute in an asynchronous session of SQLAlchemy's ORM."""
    return _asynchronously(url, statements, end, AsyncSession)


def sqlalchemy_async_connection(
    url: str,
    statements: list[Executable[Any]],
    end: End,
) -> list[Any]:
    """Execute on a connection of SQLAlchemy's asynchronous engine."""
    return _asynchronously(url, statements, end, AsyncConnection)


WAYS: list[Way] = [
    psycopg_sync,
    psycopg_async,
    sqlalchemy_session,
    sqlalchemy_connection,
    sqlalchemy_async_session,
    sqlalchemy_async_connection,
]
