"""What was handed to a session and has no outcome yet.

Each parcel that is taken comes out exactly once: landed by an answer, overdue, or at the end of
the connection. Who takes it out owes its outcome, so nobody else can.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID


@dataclass(slots=True)
class Parcel:
    """One attempt, ready to leave."""

    notification: UUID
    number: int
    message_id: str
    data: bytes
    """Its trace and its frame, as they are written."""
    position: int = field(default=0, init=False)
    """Where its first byte is in the stream of the connection."""
    due: float = field(default=0.0, init=False)
    """When it is overdue, by the monotonic clock."""


class Flight:
    """Attempts in the order in which they were handed over, at most `capacity` of them flying."""

    def __init__(self, capacity: int, acknowledge_within: float) -> None:
        self._capacity = capacity
        self._acknowledge_within = acknowledge_within
        self._waiting: deque[Parcel] = deque()
        self._flying: dict[str, Parcel] = {}

    def __len__(self) -> int:
        return len(self._flying)

    def take(self, parcel: Parcel) -> None:
        """Queue an attempt behind those that were handed over before."""
        self._waiting.append(parcel)

    def depart(self, position: int, now: float) -> bytes:
        """Return what may be written now, from this position of the stream on."""
        room = self._capacity - len(self._flying)
        leaving: list[bytes] = []
        while room > 0 and self._waiting:
            parcel = self._waiting.popleft()
            if parcel.message_id in self._flying:
                continue  # handed over twice: it has one outcome all the same
            parcel.position = position
            parcel.due = now + self._acknowledge_within
            position += len(parcel.data)
            leaving.append(parcel.data)
            parcel.data = b""
            self._flying[parcel.message_id] = parcel
            room -= 1
        return b"".join(leaving)

    def land(self, message_id: str) -> Parcel | None:
        """Take out what was answered; None if that was answered before, or given up."""
        return self._flying.pop(message_id, None)

    @property
    def next_due(self) -> float | None:
        """When the oldest that flies is overdue."""
        return next(iter(self._flying.values())).due if self._flying else None

    def overdue(self, now: float) -> Iterator[Parcel]:
        """Take out what was not answered in time."""
        while (due := self.next_due) is not None and due <= now:
            yield self._flying.pop(next(iter(self._flying)))

    def cancel(self) -> Iterator[Parcel]:
        """Take out what has not begun to leave, and now will not."""
        while self._waiting:
            yield self._waiting.popleft()

    def crash(self, written: int) -> Iterator[tuple[Parcel, bool]]:
        """Take out everything, each with whether a byte of it may have left.

        Args:
            written: how far the stream of the connection was handed to the operating system.
        """
        while self._flying:
            parcel = self._flying.pop(next(iter(self._flying)))
            yield parcel, parcel.position < written
        for parcel in self.cancel():
            yield parcel, False
