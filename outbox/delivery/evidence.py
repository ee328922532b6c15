"""What settles an unknown outcome: the trace of its attempt, a receipt, or the policy.

No trace proves that no frame left: the attempt is made again. With a trace it may have arrived: a
receipt for its message id settles it as sent, and without one the notification's policy decides
after a grace of connected time: `resend`, or `hold` for an operator. An album is several messages,
of which the receipt for the first proves too little: there the policy decides. So it does where the
account has been paired again since, for traces go with the login: the lack of one proves nothing.

Invariant: an attempt of unknown outcome holds its recipient up, so that nothing overtakes what may
have to be sent again, unless it is held: an operator may take days.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from outbox.log import attempts, queue
from outbox.log.attempts import Result

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from outbox.delivery.lanes import Lanes
    from outbox.log.database import Connection
    from outbox.session.port import Session

_SETTLE_SECONDS = 1.0
"""How often unknown outcomes are looked at that hold their recipient up."""
_HELD_SECONDS = 30.0
"""The same for those that an operator decides on."""


class Evidence:
    """The attempts of unknown outcome of one account, and what is known of them.

    Args:
        connection: Where the log is.
        account: The account.
        epoch: Of the lease.
        lanes: Those of the recipients that are held up.
    """

    def __init__(self, connection: Connection, account: str, epoch: int, lanes: Lanes) -> None:
        self._account = account
        self._epoch = epoch
        self._lanes = lanes
        self._log = structlog.get_logger().bind(account=account, epoch=epoch)
        self._unsettled: dict[UUID, queue.Unsettled] = {}
        self._settle_at = 0.0
        for unsettled in queue.unsettled(connection, account):
            self.doubt(unsettled)

    def __len__(self) -> int:
        return len(self._unsettled)

    def of(self, notification: UUID) -> queue.Unsettled | None:
        """Return what is known of a notification's attempt that is in doubt, or None."""
        return self._unsettled.get(notification)

    @property
    def seconds_to_next(self) -> float | None:
        """Until it is time to look at what is unsettled; None if nothing is."""
        return max(self._settle_at - time.monotonic(), 0) if self._unsettled else None

    @property
    def lacks_traces(self) -> bool:
        """Whether there are attempts of which no trace was looked for: no receipt fits them."""
        return any(unsettled.lacks_trace for unsettled in self._unsettled.values())

    def doubt(self, unsettled: queue.Unsettled) -> None:
        """Know of an attempt whose outcome is unknown, or of the trace that it left."""
        self._unsettled[unsettled.id] = unsettled
        if unsettled.holds_up:
            self._lanes.occupy(unsettled.recipient)
            self._settle_at = min(self._settle_at, time.monotonic() + _SETTLE_SECONDS)
        if unsettled.lacks_trace:
            self.hurry()

    def settled(self, notifications: Iterable[UUID]) -> None:
        """Know that these are in doubt no more; their recipients go on."""
        for notification in notifications:
            unsettled = self._unsettled.pop(notification, None)
            if unsettled is not None and unsettled.holds_up:
                self._lanes.release(unsettled.recipient)

    def hurry(self) -> None:
        """Look at what is unsettled at once."""
        self._settle_at = 0.0

    def settle(self, connection: Connection, session: Session) -> list[Result]:
        """Do what is due; return what the traces say, which is then to be recorded.

        Args:
            connection: Where the log is.
            session: Is connected.
        """
        if self.seconds_to_next != 0:
            return []
        traced = self._ask_for_traces(session)
        if not traced:
            attempts.settle_unconfirmed(connection, self._account, self._epoch)
            self._follow(connection)
        holding_up = any(u.holds_up for u in self._unsettled.values())
        self._settle_at = time.monotonic() + (_SETTLE_SECONDS if holding_up else _HELD_SECONDS)
        return traced

    def _follow(self, connection: Connection) -> None:
        """Let those recipients go on whose outcome the log has settled, by whoever's hand."""
        unsettled = {u.id for u in queue.unsettled(connection, self._account)}
        gone = [notification for notification in self._unsettled if notification not in unsettled]
        if gone:
            self._lanes.add(queue.entries(connection, gone))
            self.settled(gone)

    def _ask_for_traces(self, session: Session) -> list[Result]:
        untraced = [u for u in self._unsettled.values() if u.lacks_trace]
        if not untraced:
            return []
        try:
            traces = session.trace([(u.id, u.attempt) for u in untraced])
        except ConnectionError as error:
            self._log.warning("no traces to be had", reason=str(error))
            return []
        results = []
        for unsettled in untraced:
            message_id = traces.get((unsettled.id, unsettled.attempt))
            kind = "never_left" if message_id is None else "unknown"
            results.append(Result(unsettled.id, unsettled.attempt, kind, message_id, None))
        return results
