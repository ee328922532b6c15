"""An account's pace as its owner keeps it: how many to ask the log for, and when to ask again.

Invariants: the log decides what may start (`outbox.gate`), by the database's clock; here is only
remembered what it said, so that it is not asked in vain. While the account waits nothing is taken
from the lanes, so that what arrives meanwhile finds its place before what would have been taken.
What was said holds for `_ASK_AGAIN_SECONDS` at most: an operator may have changed the policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outbox.session.port import Session

_AT_ONCE = 10
"""How many a paced session asks for: more than mostly may go, few enough to be given back."""
_ASK_AGAIN_SECONDS = 300.0


class Pace:
    """Whether attempts may be asked for.

    Args:
        session: Whose messages are paced, or not.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._paused_until: float | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the session's messages are paced."""
        return self._session.is_paced

    def room(self, now: float, in_flight: int) -> int:
        """Return how many attempts to ask for, so many being out.

        A paced session sends one behind the other, so it is filled up when it is half empty: to ask
        the log for each single one slowed the sending of the others down.
        """
        room = self._session.capacity - in_flight
        if not self._session.is_paced:
            return room
        if self._paused_until is not None and self._paused_until > now:
            return 0
        self._paused_until = None
        return min(room, _AT_ONCE) if in_flight <= self._session.capacity // 2 else 0

    def pause(self, until: float, now: float) -> None:
        """Ask for nothing before a moment, in seconds since 1970 as all of them."""
        self._paused_until = held_until(until, now)

    def seconds_to_next(self, now: float) -> float | None:
        """Until the account may go on; None if it need not wait, and has been told so by `room`."""
        return None if self._paused_until is None else max(self._paused_until - now, 0)


def held_until(until: float, now: float) -> float:
    """Return when to ask again for what the log holds until a moment."""
    return min(until, now + _ASK_AGAIN_SECONDS)
