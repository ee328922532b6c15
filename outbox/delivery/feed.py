"""The feed of an owner's lanes: what is due, as the log has it.

Nothing is missed: an arrival is what a look's snapshot sees and the one before did not, whatever
the order of commits, and what has its time later is known by the moment at which it comes due.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from outbox.delivery.lanes import FRONT
from outbox.log import queue

if TYPE_CHECKING:
    from outbox.delivery.lanes import Lanes
    from outbox.log.database import Connection

_OVERLAP_SECONDS = 0.001
"""A moment that travels as a float may come back rounded."""


class Feed:
    """Keeps an account's lanes filled.

    Args:
        connection: Where the log is.
        account: The account.
        lanes: What to fill; empty.
        restored_through: Of the restore epoch that holds.
    """

    def __init__(
        self, connection: Connection, account: str, lanes: Lanes, restored_through: int
    ) -> None:
        self._account = account
        self._lanes = lanes
        self._restored_through = restored_through
        self._next_due_at: float | None = None
        # From here on arrivals are followed; the pages are read later, so none falls between.
        self.snapshot, self._ripe_through = queue.snapshot(connection)
        self._set_clock(self._ripe_through)
        for recipient, until in queue.waiting(connection, account):
            lanes.block(recipient, until)
        self._ripen(connection)
        self.look(connection)

    @property
    def now(self) -> float:
        """The database's time, in seconds since 1970."""
        return self._now + time.monotonic() - self._clock

    @property
    def seconds_to_next(self) -> float | None:
        """Until the next notification comes due or recipient may go on; None if none waits."""
        moments = [m for m in (self._next_due_at, self._lanes.next_unblock_at) if m is not None]
        return max(min(moments) - self.now, 0) if moments else None

    @property
    def has_more(self) -> bool:
        """Whether a look would bring something that is known to be there."""
        return self._lanes.wants_page or self.seconds_to_next == 0

    def look(self, connection: Connection) -> int:
        """Take what has arrived, what has come due and, where there is room, the next page.

        Returns:
            How many have arrived.
        """
        arrivals = queue.arrivals(connection, self._account, self.snapshot, self._restored_through)
        self.snapshot = arrivals.snapshot
        self._set_clock(arrivals.now)
        self._lanes.add(arrivals.due)
        if arrivals.next_due_at is not None:
            self.expect(arrivals.next_due_at)
        if self.seconds_to_next == 0:
            self._ripen(connection)
        if self._lanes.wants_page and self._lanes.horizon is not None:
            page = queue.page(connection, self._account, self._lanes.horizon, self._lanes.window)
            self._lanes.add_page(page)
        return len(arrivals.due)

    def look_afresh(self, connection: Connection) -> None:
        """Read the front of the queue again, whatever is remembered: the fallback of everything.

        The horizon stays where it is: what is here from behind an earlier one would be overtaken.
        """
        self.look(connection)
        self._lanes.add(queue.page(connection, self._account, FRONT, self._lanes.window))

    def expect(self, due_at: float) -> None:
        """Know of a notification that comes due at a moment, in seconds since 1970."""
        if self._next_due_at is None or due_at < self._next_due_at:
            self._next_due_at = due_at

    def _ripen(self, connection: Connection) -> None:
        """Take what has come due, and only then let waiting recipients go on: order is kept."""
        ripe = queue.ripe(connection, self._account, self._ripe_through - _OVERLAP_SECONDS)
        self._set_clock(ripe.now)
        self._ripe_through = ripe.now
        self._next_due_at = ripe.next_due_at
        self._lanes.add(ripe.due)
        self._lanes.unblock(ripe.now)

    def _set_clock(self, now: float) -> None:
        self._now, self._clock = now, time.monotonic()


def running_transactions(snapshot: str) -> frozenset[str]:
    """Return the ids of the transactions that ran when a snapshot ("xmin:xmax:id,id") was taken."""
    return frozenset(filter(None, snapshot.rsplit(":", 1)[1].split(",")))
