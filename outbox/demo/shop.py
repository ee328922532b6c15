"""The shop: the demo's caller, which enqueues within its own transactions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from outbox.caller.enqueue import enqueue, enqueue_many
from outbox.demo import mix

if TYPE_CHECKING:
    from uuid import UUID

    from outbox.demo.mix import Told
    from outbox.demo.reckoning import Reckoning
    from outbox.log.database import Connection


class Shop:
    """Writes orders, and what customers are told of them.

    Args:
        connection: To the database of both.
        reckoning: Keeps what was accepted: what was committed, and nothing else.
    """

    def __init__(self, connection: Connection, reckoning: Reckoning) -> None:
        self._connection = connection
        self._reckoning = reckoning

    def ship(self) -> int:
        """Tell of the evening's shipment, in one transaction; return of how many."""
        statement = enqueue_many(mix.batch(), account=mix.ACCOUNT)
        with self._connection.transaction():
            rows = self._connection.execute(statement).fetchall()
        self._reckoning.accept("Order shipped, one batch", *(id_ for (id_,) in rows))
        return len(rows)

    def sell(self, told: Told) -> None:
        """Take an order, and tell of it in the same transaction."""
        with self._connection.transaction():
            id_ = self._order(told)
        self._reckoning.accept(told.name, id_)

    def fail_to_sell(self, told: Told) -> None:
        """Do the same, and roll it back."""
        with self._connection.transaction(force_rollback=True):
            self._reckoning.rolled_back.add(self._order(told))

    def send_code(self) -> None:
        """Send a code that is good for a second."""
        id_ = self._enqueue(
            mix.number(7),
            text="246810 is your code. It is good for one second.",
            priority=10,
            expires_in=timedelta(seconds=1),
        )
        self._reckoning.accept("A code good for a second", id_)

    def _order(self, told: Told) -> UUID:
        customer = mix.number(told.order)
        self._connection.execute(
            'insert into shop."order" (number, customer) values (%s, %s)', (told.order, customer)
        )
        return self._enqueue(customer, **told.given)

    def _enqueue(self, to: str, **given: object) -> UUID:
        statement = enqueue(to=to, account=mix.ACCOUNT, **given)  # type: ignore[arg-type]
        row = self._connection.execute(statement).fetchone()
        if row is None:
            raise RuntimeError("a call of a function returned no row")
        id_: UUID = row[0]
        return id_
