"""What a session process has been handed, and how far each attempt has come.

Each attempt that is taken comes out exactly once: with its outcome, or at the end of the process.
Who takes it out owes its outcome, so nobody else can.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from outbox.session.port import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from outbox.session.port import Attempt

Key = tuple["UUID", int]


class _Stage(NamedTuple):
    begun: bool
    """Handed to whatsmeow: a frame may have left."""
    until: float | None
    """When it is overdue, by the monotonic clock; None while it waits for those before it."""


class Flight:
    """The attempts of one process. Any thread may call; each call is one step.

    Args:
        prepare_within: Seconds for what comes before the message is handed to whatsmeow.
        acknowledge_within: Seconds from then to the answer.
    """

    def __init__(self, *, prepare_within: float, acknowledge_within: float) -> None:
        self._within = {False: prepare_within, True: acknowledge_within}
        self._stages: dict[Key, _Stage] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._stages)

    def take(self, attempts: Iterable[Attempt]) -> None:
        """Know of these."""
        with self._lock:
            for attempt in attempts:
                self._stages[attempt.notification, attempt.number] = _Stage(begun=False, until=None)

    def follow(self, key: Key, *, begun: bool) -> None:
        """Know that the process has turned to an attempt, or handed it to whatsmeow."""
        with self._lock:
            if key in self._stages:
                self._stages[key] = _Stage(begun, time.monotonic() + self._within[begun])

    def land(self, key: Key) -> bool:
        """Take one out, if it is there."""
        with self._lock:
            return self._stages.pop(key, None) is not None

    @property
    def seconds_left(self) -> float | None:
        """Until one is overdue; None if none can be."""
        with self._lock:
            moments = [stage.until for stage in self._stages.values() if stage.until is not None]
        return min(moments) - time.monotonic() if moments else None

    @property
    def complaint(self) -> str | None:
        """What to say of one that is overdue; None if none is."""
        now = time.monotonic()
        with self._lock:
            late = [
                stage.begun
                for stage in self._stages.values()
                if stage.until is not None and stage.until <= now
            ]
        if not late:
            return None
        if any(late):
            return "WhatsApp did not acknowledge a message in time"
        return "a message was not converted and uploaded in time"

    def crash(self, reason: str) -> list[Outcome]:
        """Take out all, and return their outcomes: the process is gone."""
        with self._lock:
            stages, self._stages = self._stages, {}
        return [
            Outcome(*key, "unknown" if stage.begun else "not_sent", error=reason)
            for key, stage in stages.items()
        ]
