"""How many requests a token may make: a bucket for each, filled evenly, in this process's memory.

Each process counts for itself, so two of them allow twice as much: it is there to stop a loop that
has gone wrong, not to bill anybody.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Rate:
    """The buckets of all tokens.

    Args:
        a_minute: How many requests a minute; a full bucket holds as many.
        clock: Seconds that only grow.
    """

    def __init__(self, a_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(a_minute)
        self._a_second = a_minute / 60
        self._clock = clock
        self._lock = Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> float:
        """Take one request out of a token's bucket.

        Returns:
            0 if there was one, otherwise the seconds until there will be.
        """
        with self._lock:
            now = self._clock()
            level, since = self._buckets.get(name, (self._most, now))
            level = min(self._most, level + (now - since) * self._a_second)
            taken = level >= 1
            self._buckets[name] = (level - 1 if taken else level, now)
        return 0 if taken else (1 - level) / self._a_second
