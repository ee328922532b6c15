"""Rescue: ends leases that were not renewed, of whatever account and worker.

Invariant: once a lease has lapsed, its epoch is fenced and what was being sent is unknown, before
anybody else owns the account. Taking a lease does the same, so this job matters when nobody does:
the log then tells the truth all the same. A worker whose own rescue is late loses nothing by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from outbox.delivery.schedule.job import Job
from outbox.log.lease import rescue

if TYPE_CHECKING:
    from outbox.log.database import Connection

SECONDS = 5.0


def job() -> Job:
    """Return the job."""
    return Job("rescue", SECONDS, _run)


def _run(connection: Connection) -> None:
    for account in rescue(connection):
        structlog.get_logger().warning("a worker did not renew its lease", account=account)
