"""Partitions: makes those of the coming months ahead, so that no event finds its month missing.

Invariant: the partition of a month exists before the month begins. If this job fails for a while
nothing happens: three months are made ahead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from outbox.delivery.schedule.job import Job
from outbox.log.upkeep import create_partitions

if TYPE_CHECKING:
    from outbox.log.database import Connection

SECONDS = 6 * 3600.0


def job() -> Job:
    """Return the job."""
    return Job("partitions", SECONDS, _run)


def _run(connection: Connection) -> None:
    created = create_partitions(connection)
    if created:
        structlog.get_logger().info("created partitions", months=created)
