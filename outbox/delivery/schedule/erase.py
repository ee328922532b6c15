"""Erasing: bodies and media whose time is over, where an account's policy says so.

Invariant: what is still to be sent keeps its body, however long that takes. If this job fails,
what should be gone stays until the next run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from outbox.delivery.schedule.job import Job
from outbox.log.upkeep import erase_bodies

if TYPE_CHECKING:
    from outbox.log.database import Connection

SECONDS = 30.0


def job() -> Job:
    """Return the job."""
    return Job("erase", SECONDS, _run)


def _run(connection: Connection) -> None:
    erased = erase_bodies(connection)
    if erased:
        structlog.get_logger().info("bodies erased", bodies=erased)
