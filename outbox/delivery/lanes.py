"""The queue of one account in its owner's memory: a cache of the log, built anew by every owner.

Each recipient has a lane. Invariants:

1. Of one recipient at most one notification is out at a time, and its lane gives them out by
   priority, then in the order of enqueueing.
2. A recipient that waits (a failure, an unknown outcome) holds up nobody else.
3. Between recipients of the same priority turns go round, so a long lane does not starve others.
4. Memory is bounded by pages of `window` entries. Whatever lies behind the horizon, the place of
   the last entry of the latest page, is in the database only. The next page is wanted when half of
   one is left, or when nothing that is here can be given out, up to `_PAGES_HELD` pages.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from outbox.log.queue import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

FRONT = (32_768, 0)
"""The place (priority, position) in front of every entry."""


_PAGES_HELD = 5


class _Lane:
    __slots__ = ("busy", "turn", "waiting")

    def __init__(self, turn: int) -> None:
        self.waiting: list[tuple[int, int, UUID]] = []
        self.busy = False
        self.turn = turn


class Lanes:
    """What is due, by recipient.

    Args:
        window: How many entries a page brings; the memory's measure.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self.horizon: tuple[int, int] | None = FRONT
        """Behind this place there is more in the database; None when all is here."""
        self._lanes: dict[UUID, _Lane] = {}
        self._held: dict[UUID, UUID] = {}
        self._ready: list[tuple[int, int, int, UUID]] = []
        self._blocked: dict[UUID, float] = {}
        self._moments: list[tuple[float, UUID]] = []
        self._turn = 0

    def __len__(self) -> int:
        return len(self._held)

    @property
    def wants_page(self) -> bool:
        """Whether the database has more and there is need and room for it."""
        if self.horizon is None:
            return False
        held = len(self._held)
        return held <= self.window // 2 or (not self._ready and held < _PAGES_HELD * self.window)

    def add_page(self, entries: list[Entry]) -> None:
        """Take the page behind the horizon; a short page was the last one."""
        full = len(entries) >= self.window
        self.horizon = (entries[-1].priority, entries[-1].position) if full else None
        self.add(entries)

    def add(self, entries: Iterable[Entry]) -> None:
        """Take entries that have become due; those behind the horizon are left to a later page."""
        for entry in entries:
            if entry.id in self._held or self._is_behind_horizon(entry):
                continue
            self._held[entry.id] = entry.recipient
            lane = self._lanes.get(entry.recipient)
            if lane is None:
                lane = self._lanes[entry.recipient] = _Lane(self._turn)
            heappush(lane.waiting, (-entry.priority, entry.position, entry.id))
            self._offer(entry.recipient, lane)

    def take(self, count: int) -> list[Entry]:
        """Give out up to so many entries, each of another recipient, whose lanes then are busy."""
        taken: list[Entry] = []
        while self._ready and len(taken) < count:
            key = heappop(self._ready)
            recipient = key[3]
            lane = self._lanes.get(recipient)
            if lane is None or lane.busy or recipient in self._blocked or not lane.waiting:
                continue
            priority, position, notification = lane.waiting[0]
            if key[:3] != (priority, lane.turn, position):
                continue  # an offer that a newer one has overtaken
            heappop(lane.waiting)
            del self._held[notification]
            lane.busy = True
            self._turn = max(self._turn, lane.turn)
            lane.turn += 1
            taken.append(Entry(notification, recipient, -priority, position))
        return taken

    def put_back(self, entries: list[Entry]) -> None:
        """Take back what was given out and did not go, as if it had never been taken."""
        for entry in entries:
            lane = self._lanes[entry.recipient]
            lane.busy = False
            lane.turn -= 1
            self._held[entry.id] = entry.recipient
            heappush(lane.waiting, (-entry.priority, entry.position, entry.id))
            self._offer(entry.recipient, lane)

    def occupy(self, recipient: UUID) -> None:
        """Give out nothing more to a recipient until `release`."""
        lane = self._lanes.get(recipient)
        if lane is None:
            lane = self._lanes[recipient] = _Lane(self._turn)
        lane.busy = True

    def release(self, recipient: UUID) -> None:
        """Let a recipient's next entry be given out: nothing of it is out any more."""
        lane = self._lanes.get(recipient)
        if lane is None:
            return
        lane.busy = False
        if lane.waiting:
            lane.turn = max(lane.turn, self._turn)
            self._offer(recipient, lane)
        else:
            del self._lanes[recipient]

    def block(self, recipient: UUID, until: float) -> None:
        """Give out nothing to a recipient before a moment, in seconds since 1970."""
        self._blocked[recipient] = until
        heappush(self._moments, (until, recipient))

    def unblock(self, now: float) -> None:
        """Let those recipients go on whose moment has come."""
        while self._moments and self._moments[0][0] <= now:
            until, recipient = heappop(self._moments)
            if self._blocked.get(recipient) != until:
                continue  # another moment has come to hold
            del self._blocked[recipient]
            lane = self._lanes.get(recipient)
            if lane is not None:
                self._offer(recipient, lane)

    @property
    def next_unblock_at(self) -> float | None:
        """When the first of the recipients that wait goes on."""
        while self._moments and self._blocked.get(self._moments[0][1]) != self._moments[0][0]:
            heappop(self._moments)
        return self._moments[0][0] if self._moments else None

    def _offer(self, recipient: UUID, lane: _Lane) -> None:
        if lane.waiting and not lane.busy and recipient not in self._blocked:
            priority, position, _ = lane.waiting[0]
            heappush(self._ready, (priority, lane.turn, position, recipient))

    def _is_behind_horizon(self, entry: Entry) -> bool:
        if self.horizon is None:
            return False
        priority, position = self.horizon
        return (-entry.priority, entry.position) > (-priority, position)
