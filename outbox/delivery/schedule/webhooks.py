"""Webhooks: tells receivers of what the log has got.

Invariant: a turn makes no request, so no other job waits for a receiver. If this job fails for a
while webhooks are late, and nothing is skipped: they go on where their cursors stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.delivery.schedule.job import Job
from outbox.webhooks.sender import Sender

if TYPE_CHECKING:
    from outbox.settings import Settings

SECONDS = 1.0


def job(settings: Settings) -> Job:
    """Return the job."""
    sender = Sender(inside=settings.webhooks_inside, grace=settings.drain_seconds)
    return Job("webhooks", SECONDS, sender.turn, sender.close)
