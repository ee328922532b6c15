"""Renewal: keeps the leases of this worker's owners.

Invariant: a lease is renewed only while its owner's pass is alive; one that hangs loses it. Three
renewals fit into a lease, so one that fails is no loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.delivery.schedule.job import Job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outbox.delivery.owner import Owner
    from outbox.log.database import Connection


def job(owners: Sequence[Owner], lease_seconds: float) -> Job:
    """Return the job that renews these owners' leases."""

    def run(connection: Connection) -> None:
        for owner in owners:
            owner.renew(connection)

    return Job("renew", lease_seconds / 3, run)
