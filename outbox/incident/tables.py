"""The lists of a report in their order, the same in HTML and in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.incident import affected, course, telling
from outbox.incident.table import without_account

if TYPE_CHECKING:
    from outbox.incident.table import Table
    from outbox.log.findings import Incident


def tables(incident: Incident) -> list[Table]:
    """Return the lists of a report, in their order."""
    made = [
        course.outages(incident),
        affected.late(incident),
        affected.recipients(incident),
        course.causes(incident),
        affected.losses(incident),
        affected.doubled(incident),
        affected.doubts(incident),
        course.timeline(incident),
    ]
    return [without_account(one) for one in made] if telling.only_account(incident) else made
