"""Sealing: puts what has come since the last minute under a seal, and says so in the worker's log.

A log drain thus keeps the digests where nobody who can write to the database can reach them.

Invariant: a turn takes a second or so, however long the log and however slow the server, since
leases are renewed on the same thread: who has much to seal, as after an upgrade, goes on in the
next turns. If this job fails for a while nothing is lost: the next seal covers what has come
meanwhile.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from outbox.delivery.schedule.job import Job
from outbox.log.seal import seal

if TYPE_CHECKING:
    from outbox.log.chain import Seal
    from outbox.log.database import Connection

SECONDS = 5.0
"""From one turn to the next."""
_EVERY = 60.0
"""Seconds between two seals, once everything is sealed."""
_LONGEST = 1.0
"""Seconds; the seal that is being made then is the turn's last."""


def job() -> Job:
    """Return the job."""
    sealing = _Sealing()
    return Job("seal", SECONDS, sealing.turn, sealing.finish)


class _Sealing:
    def __init__(self) -> None:
        self._again_at = 0.0

    def turn(self, connection: Connection) -> None:
        """Seal for a second, if it is time."""
        began = time.monotonic()
        if began < self._again_at:
            return
        for made in seal(connection):
            _tell(made)
            if time.monotonic() > began + _LONGEST:
                return
        self._again_at = began + _EVERY

    def finish(self, connection: Connection) -> None:
        """Seal what has come since, as the worker stops."""
        self._again_at = 0.0
        self.turn(connection)


def _tell(made: Seal) -> None:
    structlog.get_logger().info("sealed", seal=str(made), events=made.events)
