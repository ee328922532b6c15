"""What happens later: one timer of the event loop for everything that waits for its moment."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Timeline:
    """A heap of moments. A timer of the loop's own for each would cost more than the frame."""

    def __init__(self, loop: asyncio.AbstractEventLoop, settle: Callable[[], None]) -> None:
        self._loop = loop
        self._settle = settle
        """Called after everything that was due at one moment has happened."""
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Return the loop's clock, in seconds."""
        return self._loop.time()

    def at(self, moment: float, happen: Callable[[], None]) -> None:
        """Let this happen at that moment of the loop's clock; equal moments keep their order."""
        heapq.heappush(self._heap, (moment, next(self._order), happen))
        if self._heap[0][0] == moment:
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._heap[0][0], self._ring) if self._heap else None

    def _ring(self) -> None:
        now = self._loop.time()
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2]()
        self._settle()
        self._arm()
