"""Enqueueing in an asynchronous session of SQLAlchemy, and on an asynchronous connection.

DATABASE_URL=postgresql://… python examples/python_async.py   (pip install "SQLAlchemy[asyncio]")
"""

import asyncio
import os

import psycopg
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from outbox import Location, Refused, enqueue, send_async

TO = "+44 7700 900123"


async def main() -> None:
    """Enqueue in three ways."""
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
    engine = create_async_engine(url)

    async with AsyncSession(engine) as session, session.begin():
        notification = enqueue(to=TO, text="hello", idempotency_key="hello-1")
        print("enqueued", (await session.execute(notification)).scalar_one())

    # A refusal ends the transaction, and arrives as it is and not as an error of SQLAlchemy.
    try:
        async with AsyncSession(engine) as session, session.begin():
            await session.execute(enqueue(to=TO, text="bye", idempotency_key="hello-1"))
    except Refused as refused:
        print("refused:", refused.rule, refused.sqlstate)

    async with await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"]) as connection:
        place = Location(latitude=51.5007, longitude=-0.1246, name="Westminster Bridge")
        cursor = await connection.execute(enqueue(to=TO, content=place, priority=5))
        print("enqueued", (await cursor.fetchall())[0][0])

    # The safe send: enqueued and committed on its own, then waited for, without blocking.
    sending = await send_async(engine, to=TO, text="Your code is 1234", wait=0.5)
    print("sent" if sending.sent else f"{sending.state}: it stays queued", sending.id)
    await engine.dispose()


asyncio.run(main())
