"""Notifications of the database: who is parked is told by one that there is news.

A lost LISTEN costs latency only, since owners look by themselves as well. It is noticed all the
same: a connection that is used for nothing else is asked to hear itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.log.database import connect

if TYPE_CHECKING:
    from outbox.log.database import Connection

CHANNEL = "outbox"
"""Carries the name of the account whose queue has grown."""


class Listener:
    """Hears that an account's queue has grown, on a connection of the owner's or one of its own."""

    def __init__(self, connection: Connection, account: str) -> None:
        self._connection = connection
        self._account = account
        connection.execute(f"listen {CHANNEL}")

    @classmethod
    def direct(cls, url: str, account: str) -> Listener:
        """Listen on a connection of its own, past a pooler."""
        return cls(connect(url, f"outbox listener {account}"), account)

    @property
    def socket(self) -> int:
        """What becomes readable when there may be news."""
        return self._connection.fileno()

    def heard(self) -> bool:
        """Whether there has been news of the account since the last call.

        Raises:
            psycopg.OperationalError: The connection is gone.
        """
        notifies = list(self._connection.notifies(timeout=0))
        return any(notify.payload == self._account for notify in notifies)

    def check(self) -> None:
        """Ask the connection to hear itself; a dead one raises here instead of staying silent.

        Raises:
            psycopg.OperationalError: The connection is gone.
        """
        self._connection.execute("select pg_notify(%s, %s)", (CHANNEL, self._account))

    def close(self) -> None:
        """Stop listening."""
        self._connection.close()
