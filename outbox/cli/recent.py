"""What the log has told of late: how much a minute, the last errors, the last events."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from outbox.log.follow import Event

MINUTE: Final = 60
EVENTS: Final = 50
"""How many are remembered: more than a screen has lines."""
ERRORS: Final = 5

_SENT: Final = frozenset({"sent"})
_FAILED: Final = frozenset({"attempt_failed", "attempt_unknown", "rejected"})
_TROUBLES: Final = frozenset(
    {
        *_FAILED,
        *("expired", "exhausted", "disconnected", "logged_out", "replaced", "banned", "outdated"),
        *("halted", "throttled", "restricted", "lease_lost"),
    }
)


class Recent:
    """Takes events in the order of the log, and forgets them again.

    Attributes:
        events: The newest last.
        errors: Those of them, and of earlier ones, that tell of trouble; the newest last.
    """

    def __init__(self) -> None:
        self.events: deque[Event] = deque(maxlen=EVENTS)
        self.errors: deque[Event] = deque(maxlen=ERRORS)
        self._counts: dict[int, Counter[tuple[str, str]]] = {}

    def take(self, events: Iterable[Event]) -> None:
        """Remember events."""
        for event in events:
            self.events.append(event)
            if event.type in _TROUBLES:
                self.errors.append(event)
            if event.type in _SENT | _FAILED:
                second = int(event.recorded_at.timestamp())
                kind = "sent" if event.type in _SENT else "failed"
                self._counts.setdefault(second, Counter())[event.account, kind] += 1

    def forget(self, now: datetime) -> None:
        """Forget what was counted more than a minute ago, by the database's clock."""
        begin = int(now.timestamp()) - MINUTE
        self._counts = {second: one for second, one in self._counts.items() if second > begin}

    def sent(self, account: str) -> int:
        """Return how many an account has sent within the last minute."""
        return sum(one[account, "sent"] for one in self._counts.values())

    def failed(self, account: str) -> int:
        """Return how many of its attempts have failed within the last minute, or may have."""
        return sum(one[account, "failed"] for one in self._counts.values())
