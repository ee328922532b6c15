"""What a session process has been handed, and how far each attempt has come.

Each attempt that is taken comes out exactly once: with its outcome, or at the end of the process.
Who takes it out owes its outcome, so nobody else can.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from outbox.session.port import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from outbox.session.port import Attempt

Key = tuple["UUID", int]


class Flight:
    """The attempts of one process, which has one after the other. Any thread may call.

    Args:
        prepare_within: Seconds for what comes before the message is handed to whatsmeow, from when
            the one before it has its outcome.
        acknowledge_within: Seconds from then to the answer.
    """

    def __init__(self, *, prepare_within: float, acknowledge_within: float) -> None:
        self._prepare_within = prepare_within
        self._acknowledge_within = acknowledge_within
        self._begun: dict[Key, bool] = {}
        """Whether it was handed to whatsmeow, so that a frame may have left; in their order."""
        self._until: float | None = None
        """When the first is overdue, by the monotonic clock."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._begun)

    def take(self, attempts: Iterable[Attempt]) -> None:
        """Know of these."""
        with self._lock:
            was_empty = not self._begun
            self._begun |= {(one.notification, one.number): False for one in attempts}
            if was_empty:
                self._turn()

    def begin(self, key: Key) -> None:
        """Know that the process hands an attempt to whatsmeow, or one more message of it."""
        with self._lock:
            if key in self._begun:
                self._begun[key] = True
                self._until = time.monotonic() + self._acknowledge_within

    def land(self, key: Key) -> bool:
        """Take one out, if it is there."""
        with self._lock:
            was_first = key == next(iter(self._begun), None)
            landed = self._begun.pop(key, None) is not None
            if was_first:
                self._turn()
            return landed

    @property
    def seconds_left(self) -> float | None:
        """Until the first is overdue; None if there is none."""
        with self._lock:
            return None if self._until is None else self._until - time.monotonic()

    @property
    def complaint(self) -> str | None:
        """What to say of the first if it is overdue; None if it is not."""
        with self._lock:
            if self._until is None or self._until > time.monotonic():
                return None
            if next(iter(self._begun.values())):
                return "WhatsApp did not acknowledge a message in time"
            return "a message was not converted and uploaded in time"

    def _turn(self) -> None:
        """Let the time of the one begin that is the first now."""
        self._until = time.monotonic() + self._prepare_within if self._begun else None

    def crash(self, reason: str) -> list[Outcome]:
        """Take out all, and return their outcomes: the process is gone."""
        with self._lock:
            gone, self._begun, self._until = self._begun, {}, None
        return [
            Outcome(*key, "unknown" if begun else "not_sent", error=reason)
            for key, begun in gone.items()
        ]
