"""Which months are to be archived: by their age, and by what room is left.

The rules: with `archive_keep_months` set to N, months leave that ended more than N months before
this one began. With `database_limit` set, the oldest month leaves while the database takes more
than 70 percent of it, so long before it is a warning (80 percent) or a plan forbids to write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.log import examination, months

if TYPE_CHECKING:
    from outbox.log.database import Connection
    from outbox.log.months import Month

CROWDED = 0.7
"""Of the limit: from then on months are archived."""
FULL = 0.8
"""Of the limit: from then on it is a warning."""


def due(connection: Connection, keep_months: int | None, limit: int | None) -> list[Month]:
    """Return the months that are to leave the database, the oldest first, whatever is in their way.

    Args:
        connection: Where the log is.
        keep_months: How many months that are over stay; None for all.
        limit: How many bytes the database may have; None for as many as it likes.
    """
    found = months.archivable(connection)
    now = months.this_month(connection)
    excess = examination.sizes(connection).database - CROWDED * limit if limit else 0.0
    chosen = []
    for month in found:
        age = 12 * (now.year - month.began_at.year) + now.month - month.began_at.month
        if excess > 0:
            excess -= month.size
        elif keep_months is None or age <= keep_months:
            continue
        chosen.append(month)
    return chosen
