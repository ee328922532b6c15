"""How many requests a token may make within a minute, counted in this process's memory.

Each process counts for itself, so two of them allow twice as much: it is there to stop a loop that
has gone wrong, not to bill anybody.
"""

from __future__ import annotations

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class Rate:
    """What every token may do.

    Args:
        a_minute: How many requests within any minute.
    """

    def __init__(self, a_minute: int) -> None:
        self._each = RateLimitItemPerMinute(a_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, name: str) -> float:
        """Count a request of a token.

        Returns:
            0 if it may be made, otherwise the seconds until one may be.
        """
        if self._limiter.hit(self._each, name):
            return 0
        return max(0.0, self._limiter.get_window_stats(self._each, name).reset_time - time.time())
