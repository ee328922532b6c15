"""Keeps the session of an account connected, as the connection's log says.

Invariants: when to connect is in the log, so that a restart forgets neither a backoff nor a ban.
From some states only an operator leads out. A session that has been replaced does not fight back:
the lease is taken anew first, which fences whoever may have been its twin.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from outbox.log.connection import connection_state, record_transition

if TYPE_CHECKING:
    from outbox.log.database import Connection
    from outbox.session.port import Session, Transition

_FINAL_STATES = ("logged_out", "outdated", "halted")
"""States of a connection from which only an operator leads out."""
_LOUD = (*_FINAL_STATES, "banned", "replaced")
"""What an operator should hear of at once."""


class Reconnection:
    """The connection of one session, for one tenure.

    Args:
        account: The account.
        epoch: Of the lease.
        session: What is kept connected.
    """

    def __init__(self, account: str, epoch: int, session: Session) -> None:
        self.is_up = False
        """The session can send."""
        self.is_replaced = False
        """The session has been replaced: the lease is to be taken anew."""
        self._account = account
        self._epoch = epoch
        self._session = session
        self._log = structlog.get_logger().bind(account=account, epoch=epoch)
        self._connecting = self._closing = False
        self._at: float | None = None

    @property
    def seconds_to_next(self) -> float | None:
        """Until it is time to connect again; None if that is not known, or not needed."""
        return None if self._at is None else max(self._at - time.monotonic(), 0)

    def keep(self, connection: Connection) -> None:
        """Connect the session when it is time to."""
        if self.is_up or self._connecting:
            return
        self._at = None
        state = connection_state(connection, self._account)
        if state is None or state.state in _FINAL_STATES:
            return
        if state.reconnect_at is None and state.state == "banned":
            return
        wait = (state.reconnect_at or 0) - state.now
        if wait > 0:
            self._at = time.monotonic() + wait
            return
        record_transition(connection, self._account, self._epoch, "connecting")
        self._connecting = True
        self._session.connect()

    def close(self) -> None:
        """End the session on purpose, which is no event."""
        self._closing = True
        self._session.close()

    def follow(self, connection: Connection, transition: Transition) -> None:
        """Record what has happened to the connection, and know it."""
        self.is_up = transition.type == "connected"
        self._connecting = False
        if self._closing:
            return
        tell = self._log.warning if transition.type in _LOUD else self._log.info
        tell(transition.type, reason=transition.reason)
        record_transition(
            connection,
            self._account,
            self._epoch,
            transition.type,
            reason=transition.reason,
            retry_after=transition.retry_after,
        )
        if transition.type == "replaced":
            state = connection_state(connection, self._account)
            self.is_replaced = state is None or state.state != "halted"
