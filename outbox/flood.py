"""Keeps a storm of errors from flooding the log: of each kind of warning, so many a minute.

A kind is the sentence of an entry and its account. What is no warning passes always: what an
operator asks for by the level, and the line for each request, are to be complete.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

A_MINUTE: Final = 30
"""Warnings of a kind that pass: a pattern is seen in that many, and no disk is filled by them."""
MOST_KINDS: Final = 1000
"""That are remembered: a library's sentences may all be different."""

_MINUTE: Final = 60.0


@dataclass
class _Kind:
    since: float
    passed: int = 0
    left_out: int = 0


class Flood(logging.Filter):
    """Lets through what is not too much; the next of a kind that passes says what was left out.

    Args:
        clock: Seconds, from whenever.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = Lock()
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether an entry passes, and add to it what it has to say of others."""
        if record.levelno < logging.WARNING:
            return True
        entry = record.msg if isinstance(record.msg, dict) else None
        event, account = (entry or {}).get("event", record.msg), (entry or {}).get("account", "")
        with self._lock:
            kind = self._kind(str(event), str(account))
            if kind.passed == A_MINUTE:
                kind.left_out += 1
                return False
            kind.passed += 1
            said: dict[str, object] = {"left_out": kind.left_out} if kind.left_out else {}
            kind.left_out = 0
            if kind.passed == A_MINUTE:
                said["more"] = "is left out for the rest of the minute"
        if entry is not None:
            entry.update(said)
        elif said:
            record.msg = (
                f"{record.msg} ({', '.join(f'{name} {one}' for name, one in said.items())})"
            )
        return True

    def _kind(self, event: str, account: str) -> _Kind:
        now = self._clock()
        kind = self._kinds.get((event, account))
        if kind is None:
            if len(self._kinds) == MOST_KINDS:
                self._kinds.clear()
            kind = self._kinds[event, account] = _Kind(now)
        elif now - kind.since >= _MINUTE:
            kind.since, kind.passed = now, 0
        return kind
