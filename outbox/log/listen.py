"""Notifications of the database: who is parked is told by one that there is news.

A lost LISTEN costs latency only, since owners look by themselves as well. It is noticed all the
same: at each poll the connection is asked to hear itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

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
        self._token = f"check {uuid4()}"
        self._hears = True
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
        payloads = [notify.payload for notify in self._connection.notifies(timeout=0)]
        self._hears = self._hears or self._token in payloads
        return self._account in payloads

    def check(self) -> bool:
        """Ask the connection to hear itself; return whether it has since it was asked last.

        A connection may look alive and hear nothing: through a pooler in transaction mode LISTEN
        is lost without a word.

        Raises:
            psycopg.OperationalError: The connection is gone.
        """
        hears, self._hears = self._hears, False
        self._connection.execute("select pg_notify(%s, %s)", (CHANNEL, self._token))
        return hears

    def close(self) -> None:
        """Stop listening."""
        self._connection.close()
