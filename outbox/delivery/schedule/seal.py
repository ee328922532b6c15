"""Sealing: puts what has come since the last minute under a seal, and says so in the worker's log.

A log drain thus keeps the digests where nobody who can write to the database can reach them.

Invariant: a turn is short, since leases are renewed on the same thread: who has a long log to seal,
as after an upgrade, does so over many turns. If this job fails for a while nothing is lost: the
next seal covers what has come meanwhile.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import structlog

from outbox.delivery.schedule.job import Job
from outbox.log.seal import seal

if TYPE_CHECKING:
    from outbox.log.database import Connection

SECONDS = 60.0
_SEALS = 20
"""In a turn; of 10,000 events each they take some two seconds."""


def job() -> Job:
    """Return the job."""
    return Job("seal", SECONDS, _run, _run)


def _run(connection: Connection) -> None:
    for made in islice(seal(connection), _SEALS):
        structlog.get_logger().info("sealed", seal=str(made), events=made.events)
