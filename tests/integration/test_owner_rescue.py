"""A lease that ends while its owner writes: what it was sending is unknown, whoever was first."""

import threading
from contextlib import suppress

import psycopg

from outbox.errors import StaleEpoch
from tests.account import Account

_ROUNDS = 400


def test_whatever_the_owner_had_started_when_its_lease_ended_is_unknown(
    database_url: str, connection: psycopg.Connection
) -> None:
    """Nothing is being sent while nobody owns the account, or the next owner would double it."""
    account = Account(connection)
    start, end = threading.Barrier(2), threading.Barrier(2)
    over = threading.Event()

    def rescue() -> None:
        with psycopg.connect(database_url, autocommit=True) as rescuing:
            while True:
                start.wait(30)
                if over.is_set():
                    return
                rescuing.execute("select from outbox.rescue_leases()")
                end.wait(30)

    rescuer = threading.Thread(target=rescue)
    rescuer.start()
    left = []
    try:
        for number in range(_ROUNDS):
            notification = account.enqueue(number)
            assert account.acquire(0)
            start.wait(30)
            with suppress(StaleEpoch):
                account.start(notification)
            end.wait(30)
            row = connection.execute(
                "select n.state from outbox.notification n, outbox.lease l"
                " where n.id = %s and l.owner is null and n.state = 'sending'",
                (notification,),
            ).fetchone()
            if row:
                left.append(number)
            connection.execute("select from outbox.rescue_leases()")
    finally:
        over.set()
        start.wait(30)
        rescuer.join()
    assert not left
