"""What the charts show: traffic of the last hour, day or week.

A longer period costs more to read and changes less, so it is kept for a while.
"""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from outbox.log.traffic import traffic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from outbox.log.pool import Pool
    from outbox.log.traffic import Step

Period = Literal["hour", "day", "week"]


class Scale(NamedTuple):
    """How a period is divided."""

    step: timedelta
    steps: int
    fresh_seconds: float
    """How long what was read is shown."""

    @property
    def length(self) -> timedelta:
        """Of the whole period."""
        return self.step * self.steps


SCALES: Final[dict[Period, Scale]] = {
    "hour": Scale(timedelta(minutes=1), 60, 1),
    "day": Scale(timedelta(minutes=15), 96, 30),
    "week": Scale(timedelta(hours=2), 84, 300),
}
_RECENT: Final = 5
"""Minutes over which the present rates are taken, the current one included."""


class Charts:
    """What was read of late, for all who look."""

    def __init__(self) -> None:
        self._locks: dict[Period, Lock] = {period: Lock() for period in SCALES}
        self._read: dict[Period, tuple[float, list[Step]]] = {}

    def steps(self, pool: Pool, period: Period) -> list[Step]:
        """Return the steps of a period, the current one last."""
        scale = SCALES[period]
        with self._locks[period]:  # who comes meanwhile waits, and finds it read
            at, steps = self._read.get(period, (-scale.fresh_seconds, []))
            if not steps or time.monotonic() - at >= scale.fresh_seconds:
                with pool.connection() as connection:
                    steps = traffic(connection, scale.step, scale.steps)
                self._read[period] = time.monotonic(), steps
        return steps


class Rates(NamedTuple):
    """The present, by the last minutes."""

    sent: float
    """A minute."""
    failed: float
    """Attempts a minute."""
    half_within: float | None
    """Seconds to the acknowledgement of half of what was sent, in the latest minute with any."""
    most_within: float | None


def rates(hour: Sequence[Step], now: datetime) -> Rates:
    """Return the present rates.

    Args:
        hour: The traffic of the last hour, minute by minute.
        now: The database's time, to which the last minute goes.
    """
    recent = hour[-_RECENT:]
    minutes = max((now - recent[0].at).total_seconds() / 60, 1)
    latest = next((one for one in reversed(hour) if one.half_within is not None), None)
    return Rates(
        sum(one.sent for one in recent) / minutes,
        sum(one.failed for one in recent) / minutes,
        latest.half_within if latest else None,
        latest.most_within if latest else None,
    )


def series(steps: Sequence[Step]) -> dict[str, Any]:
    """Return what the charts draw: a list of values for each line, beside the times.

    `offset` is how many seconds the times of the pages are ahead of UTC.
    """
    return {
        "offset": (steps[-1].at.astimezone().utcoffset() or timedelta()).total_seconds(),
        "at": [one.at.timestamp() for one in steps],
        "enqueued": [one.enqueued for one in steps],
        "sent": [one.sent for one in steps],
        "failed": [one.failed for one in steps],
        "dead": [one.dead for one in steps],
        "open": [one.open for one in steps],
        "half_within": [one.half_within for one in steps],
        "most_within": [one.most_within for one in steps],
    }
