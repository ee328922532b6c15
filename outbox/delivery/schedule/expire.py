"""Expiry: ends what was not sent in time.

Invariant: nothing expires while it is being sent; its outcome comes first. If this job fails, what
is late stays late: an attempt never starts after expires_at, since starting checks it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from outbox.delivery.schedule.job import Job
from outbox.log.upkeep import expire

if TYPE_CHECKING:
    from outbox.log.database import Connection

SECONDS = 5.0


def job() -> Job:
    """Return the job."""
    return Job("expire", SECONDS, _run)


def _run(connection: Connection) -> None:
    expired = expire(connection)
    if expired:
        structlog.get_logger().warning("expired", notifications=expired)
