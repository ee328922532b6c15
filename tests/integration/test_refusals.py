"""Refusals arrive as our exceptions, whichever way a program talks to the database."""

import asyncio

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, exc, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

import outbox.sqlalchemy_errors  # noqa: F401 - importing it is what makes engines raise refusals
from outbox import errors

REFUSE = "select outbox.refuse('bad_recipient', '+44')"


def engine(url: str) -> Engine:
    """Return an engine that speaks through psycopg."""
    return create_engine(make_url(url).set(drivername="postgresql+psycopg"))


def test_psycopg_raises_refusals(connection: psycopg.Connection) -> None:
    """A cursor, a pipeline and a cursor on the server all raise the class of the SQLSTATE."""
    with pytest.raises(errors.InvalidRecipient, match="Not a recipient: \\+44"):
        connection.execute(REFUSE)
    with pytest.raises(errors.InvalidRecipient), connection.pipeline():
        connection.execute(REFUSE)
    with (
        pytest.raises(errors.InvalidRecipient),
        connection.transaction(),
        connection.cursor("server") as cursor,
    ):
        cursor.execute(REFUSE).fetchall()


def test_async_psycopg_raises_refusals(database_url: str) -> None:
    """An asynchronous connection raises the same."""

    async def refuse() -> None:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            await connection.execute(REFUSE)

    with pytest.raises(errors.InvalidRecipient) as refused:
        asyncio.run(refuse())
    assert refused.value.rule == "bad_recipient"


def test_a_session_raises_refusals_unwrapped(database_url: str) -> None:
    """SQLAlchemy hands on the refusal itself, whose cause is what the driver raised."""
    made = engine(database_url)
    with Session(made) as session:
        with pytest.raises(errors.InvalidRecipient) as refused:
            session.execute(text(REFUSE))
        session.rollback()
        assert session.scalar(text("select 1")) == 1
    made.dispose()
    assert refused.value.rule == "bad_recipient"
    assert refused.value.message == "Not a recipient: +44"
    assert isinstance(refused.value.__cause__, errors.InvalidRecipient)
    assert refused.value.__cause__ is not refused.value


def test_other_errors_stay_sqlalchemys(database_url: str) -> None:
    """What is no refusal is wrapped as ever."""
    made = engine(database_url)
    with Session(made) as session, pytest.raises(exc.DataError):
        session.execute(text("select 1 / 0"))
    made.dispose()


def test_an_async_session_raises_refusals_unwrapped(database_url: str) -> None:
    """An asynchronous engine hands on the refusal, too."""
    pytest.importorskip("greenlet", reason="SQLAlchemy's asyncio is an extra")
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine  # noqa: PLC0415

    async def refuse() -> None:
        made = create_async_engine(make_url(database_url).set(drivername="postgresql+psycopg"))
        try:
            async with AsyncSession(made) as session:
                await session.execute(text(REFUSE))
        finally:
            await made.dispose()

    with pytest.raises(errors.InvalidRecipient) as refused:
        asyncio.run(refuse())
    assert refused.value.hint == errors.refusal("bad_recipient", "+44").hint
