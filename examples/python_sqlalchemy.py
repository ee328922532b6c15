"""Enqueueing in a session of SQLAlchemy.

DATABASE_URL=postgresql://… python examples/python_sqlalchemy.py
"""

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from outbox import InvalidRecipient, Notification, digest, enqueue, enqueue_many, store_media


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
print("enqueued", order.number)

# Python refuses what the database would refuse, before anything is sent to it.
try:
    enqueue(to="07700 900123", text="hello")
except InvalidRecipient as refused:
    print("refused:", refused.rule, "|", refused.message, "|", refused.hint)

# A savepoint: one notification may fail, and the transaction goes on.
with Session(engine) as session, session.begin():
    try:
        with session.begin_nested():
            session.execute(enqueue(to="+44 7700 900124", content={"kind": "smoke"}))
    except ValueError, InvalidRecipient:
        raise
