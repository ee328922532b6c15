"""Enqueueing in a transaction of psycopg.

DATABASE_URL=postgresql://… python examples/python_psycopg.py
"""

import os
from pathlib import Path

import psycopg

from outbox import IdempotencyConflict, Notification, Poll, enqueue, enqueue_many, send

TO = "+44 7700 900123"

with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("create table if not exists orders (number int primary key, notified uuid)")
    connection.commit()

    # The order and its notification: both are there after the commit, or neither is.
    with connection.transaction():
        connection.execute("insert into orders values (7)")
        notification = enqueue(to=TO, text="Your order 7 is on its way.", idempotency_key="order-7")
        row = connection.execute(notification).fetchone()
        assert row is not None
        connection.execute("update orders set notified = %s where number = 7", row)
    print("enqueued", row[0])

    # Enqueued again, after a crash or by a second click, it is still one message.
    with connection.transaction():
        assert connection.execute(notification).fetchone() == row

    # The key for something else is refused, and so is the rest of the transaction.
    try:
        with connection.transaction():
            connection.execute(enqueue(to=TO, text="Something else", idempotency_key="order-7"))
    except IdempotencyConflict as refused:
        print("refused:", refused.rule, "|", refused.message, "|", refused.hint)

    # A file: its bytes are stored by the same statement.
    with connection.transaction():
        invoice = Path(__file__)
        connection.execute(enqueue(to=TO, media=invoice, text="Your invoice"))

    # Many at once.
    with connection.transaction():
        poll = Poll(question="Shall we open on Sunday?", options=("Yes", "No"))
        many = [Notification(to=f"+447700900{n}", content=poll) for n in range(100, 120)]
        print("enqueued", len(connection.execute(enqueue_many(many)).fetchall()))

# The safe send: enqueued and committed on its own, then waited for.
sending = send(os.environ["DATABASE_URL"], to=TO, text="Your code is 1234", wait=0.5)
print("sent" if sending.sent else f"{sending.state}: it stays queued", sending.id)
