"""Enqueueing in a session of SQLAlchemy.

DATABASE_URL=postgresql://… python examples/python_sqlalchemy.py
"""

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from outbox import (
    InvalidRecipient,
    Notification,
    UnusableMedia,
    digest,
    enqueue,
    enqueue_many,
    store_media,
)


class Base(DeclarativeBase):
    """The program's own tables."""


class Order(Base):
    """An order, and the notification that announces it."""

    __tablename__ = "orders"

    number: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str]
    notified: Mapped[UUID | None]


engine = create_engine(make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg"))
Base.metadata.create_all(engine)

# The order and its notification: both are there after the commit, or neither is.
with Session(engine) as session, session.begin():
    order = Order(number=7, customer="+44 7700 900123")
    session.add(order)
    order.notified = session.execute(
        enqueue(
            to=order.customer,
            text=f"Your order {order.number} is on its way.",
            idempotency_key=f"order-{order.number}-sent",
            send_at=datetime.now(UTC) + timedelta(minutes=5),
            expires_in=timedelta(hours=4),
            metadata={"order": order.number},
        )
    ).scalar_one()
    print("enqueued", order.notified)

# Python refuses what the database would refuse, before anything is sent to it.
try:
    enqueue(to="07700 900123", text="hello")
except InvalidRecipient as refused:
    print("refused:", refused.rule, "|", refused.message, "|", refused.hint)

# Many at once, with a picture whose bytes are stored once.
PNG = b"\x89PNG\r\n\x1a\n"
with Session(engine) as session, session.begin():
    session.execute(store_media(PNG, "image/png"))
    image = {"kind": "image", "media": digest(PNG), "caption": "We have moved"}
    many = [Notification(to=f"+447700900{n}", content=image) for n in range(100, 120)]
    print("enqueued", len(session.execute(enqueue_many(many)).scalars().all()))

# A refusal within a savepoint is no end of the transaction.
with Session(engine) as session, session.begin():
    session.execute(enqueue(to="+44 7700 900123", text="This is sent."))
    try:
        with session.begin_nested():
            missing = {"kind": "image", "media": "0" * 64}
            session.execute(enqueue(to="+44 7700 900123", content=missing))
    except UnusableMedia as refused:
        print("refused:", refused.rule, "|", refused.message, "|", refused.hint)

engine.dispose()
