"""Archiving: moves months that are over out of the database, as the settings say.

It takes minutes, and leases are renewed on the thread of the jobs, so it has a thread and a
connection of its own while there is something to do.

Invariant: a month leaves the database only when its archive has been read back. If this job fails
the month stays, and the next turn tries again; whoever is killed meanwhile has lost nothing.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import structlog

from outbox.archive import moving, policy
from outbox.delivery.schedule.job import Job
from outbox.log import examination
from outbox.log.database import connect
from outbox.log.months import ArchiveError

if TYPE_CHECKING:
    from outbox.log.database import Connection
    from outbox.log.months import Month
    from outbox.settings import Settings

SECONDS = 3600.0


def job(settings: Settings) -> Job:
    """Return the job."""
    return Job("archive", SECONDS, _Archiving(settings).turn)


class _Archiving:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread: threading.Thread | None = None
        self._log = structlog.get_logger()

    def turn(self, connection: Connection) -> None:
        """See whether a month is to leave, and let it."""
        limit = self._settings.database_limit
        self._warn(connection, limit)
        folder = self._settings.archive_to
        if folder is None or (self._thread is not None and self._thread.is_alive()):
            return
        months = policy.due(connection, self._settings.archive_keep_months, limit)
        for month in months:
            if month.obstacle is not None:
                self._log.warning(
                    "a month stays in the database",
                    partition=month.partition,
                    reason=month.obstacle,
                )
        free = [month for month in months if month.obstacle is None]
        if free:
            self._thread = threading.Thread(
                target=self._archive, args=(folder, free), name="archive", daemon=True
            )
            self._thread.start()

    def _warn(self, connection: Connection, limit: int | None) -> None:
        if limit is None:
            return
        size = examination.sizes(connection).database
        if size >= policy.FULL * limit:
            self._log.warning(
                "the database is nearly full", bytes=size, limit=limit, share=round(size / limit, 2)
            )

    def _archive(self, folder: str, months: list[Month]) -> None:
        settings = self._settings
        try:
            with connect(
                settings.database_url, "outbox archive", pooled=settings.pooled
            ) as connection:
                for month in months:
                    made = moving.archive(connection, month.partition, folder)
                    self._log.info(
                        "archived",
                        partition=made.partition,
                        events=made.events,
                        location=made.location,
                        bytes=made.size,
                    )
        except (ArchiveError, psycopg.Error) as error:
            self._log.warning("archiving failed", reason=str(error).strip())
