"""An owner's vigil: when it looks for arrivals, and when it parks.

NOTIFY takes a lock of the whole server at commit, so a busy queue must not notify: only a parked
owner is told. Parking misses nothing: the wish to be told is committed, then the owner looks once
more. A transaction that ran at that look may have added to the queue without having seen the wish;
while one of those runs, the owner keeps looking by itself.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from outbox.delivery.feed import running_transactions
from outbox.log import lease

if TYPE_CHECKING:
    from outbox.delivery.feed import Feed
    from outbox.log.database import Connection

_LOOK_SECONDS = 0.01
"""How often an owner that is awake looks."""
_LINGER_SECONDS = 0.2
"""How long it stays awake after the last of its work."""
_BUSY_ARRIVALS = 50
"""So many arrivals within a second, and it wants to be told of no more: it stays awake."""
_WATCH_SECONDS = (0.05, 1.0)
"""How often it looks while a transaction stays open that may not know of the wish: first, later."""


class Vigil:
    """Decides when to look.

    Args:
        feed: What looks.
        account: The account.
        epoch: Of the lease.
        poll: Seconds after which a parked owner looks although nobody told it to.
    """

    def __init__(self, feed: Feed, account: str, epoch: int, poll: float) -> None:
        self._feed = feed
        self._account = account
        self._epoch = epoch
        self._poll = poll
        now = time.monotonic()
        self._look_at = self._worked_at = now
        self._over_at = now + poll
        self._parked = False
        self._watched: frozenset[str] = frozenset()
        self._watch_seconds = _WATCH_SECONDS[0]
        self._second = now
        self._arrived = 0

    @property
    def is_over(self) -> bool:
        """Whether the account has been quiet for a poll."""
        return time.monotonic() >= self._over_at

    def begin_again(self, connection: Connection) -> None:
        """Begin another poll with a look that trusts nothing remembered."""
        self._over_at = time.monotonic() + self._poll
        self._feed.look_afresh(connection)

    def note_work(self) -> None:
        """Know that there was something to do."""
        self._worked_at = time.monotonic()
        self._over_at = self._worked_at + self._poll

    def hear(self) -> None:
        """Know that the queue has grown."""
        self._look_at = 0.0

    def look_if_due(self, connection: Connection) -> None:
        """Look for arrivals, if it is time to."""
        now = time.monotonic()
        if now < self._look_at and not self._feed.has_more:
            return
        arrived = self._feed.look(connection)
        if now - self._second >= 1:
            self._second, self._arrived = now, 0
        self._arrived += arrived
        if self._parked and self._arrived >= _BUSY_ARRIVALS:
            lease.park(connection, self._account, self._epoch, wake=False)
            self._parked = False
        self._look_at = now + self._pause()

    def seconds_to_rest(self, connection: Connection, *, idle: bool) -> float:
        """Return how long the owner may rest; with nothing to do it parks first."""
        if not self._parked and idle and time.monotonic() - self._worked_at >= _LINGER_SECONDS:
            lease.park(connection, self._account, self._epoch, wake=True)
            self._parked = True
            self._watch_seconds = _WATCH_SECONDS[0]
            arrived = self._feed.look(connection)
            self._watched = running_transactions(self._feed.snapshot)
            self._look_at = time.monotonic() + self._pause()
            if arrived:
                return 0
        # Who is not idle has no use for the end of the poll, and would not rest at all after it.
        until = min(self._look_at, self._over_at) if idle else self._look_at
        return max(until - time.monotonic(), 0)

    def _pause(self) -> float:
        """Return the seconds from one look to the next."""
        if not self._parked:
            return _LOOK_SECONDS
        self._watched &= running_transactions(self._feed.snapshot)
        if not self._watched:
            return self._poll
        pause = self._watch_seconds
        self._watch_seconds = min(2 * pause, _WATCH_SECONDS[1])
        return pause
