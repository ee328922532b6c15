"""The scheduler of a worker.

Passes of owners run on a thread each, since a pass waits for its account; all other jobs take
turns on one thread and one connection, so that a worker needs few of either.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from outbox.log.database import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from outbox.delivery.owner import Owner
    from outbox.delivery.schedule.job import Job
    from outbox.log.database import Connection


class Schedule:
    """Runs the passes of owners and the jobs of a worker.

    Args:
        url: Of the database, for the jobs.
        owners: Each gets a thread for its passes.
        jobs: What else to run.
        pooled: A pooler in transaction mode is between.
    """

    def __init__(
        self, url: str, owners: Sequence[Owner], jobs: Sequence[Job], *, pooled: bool
    ) -> None:
        self._url = url
        self._pooled = pooled
        self._jobs = jobs
        self._connection: Connection | None = None
        self._log = structlog.get_logger()
        self._running = len(owners)
        self._stopped = threading.Event()
        self._count = threading.Lock()
        self._scheduler = BackgroundScheduler(
            executors={
                "passes": ThreadPoolExecutor(max(len(owners), 1)),
                "jobs": ThreadPoolExecutor(1),
            },
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )
        for owner in owners:
            self._plan_pass(owner, 0)
        for job in jobs:
            self._scheduler.add_job(
                self._run,
                "interval",
                (job,),
                seconds=job.seconds,
                id=job.name,
                executor="jobs",
                next_run_time=datetime.now(UTC),
            )

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until every owner has stopped; return whether they have."""
        return self._stopped.wait(seconds)

    def shutdown(self) -> None:
        """End: no job runs any more, the connection is closed."""
        self._scheduler.shutdown()
        for job in self._jobs:
            if job.end is not None and self._connection is not None:
                self._perform(job.name, job.end)
        if self._connection is not None:
            self._connection.close()

    def _plan_pass(self, owner: Owner, seconds: float) -> None:
        self._scheduler.add_job(
            self._deliver,
            "date",
            (owner,),
            run_date=datetime.now(UTC) + timedelta(seconds=seconds),
            id=f"deliver {owner.account}",
            executor="passes",
            replace_existing=True,
        )

    def _deliver(self, owner: Owner) -> None:
        """Run a pass, and plan the next; a pass that fails is planned again, too."""
        pause: float | None = 1.0
        try:
            pause = owner.deliver()
        finally:
            if pause is not None:
                self._plan_pass(owner, pause)
            else:
                with self._count:
                    self._running -= 1
                    if self._running == 0:
                        self._stopped.set()

    def _run(self, job: Job) -> None:
        self._perform(job.name, job.run)

    def _perform(self, name: str, part: Callable[[Connection], None]) -> None:
        try:
            if self._connection is None:
                self._connection = connect(self._url, "outbox jobs", pooled=self._pooled)
            part(self._connection)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self._log.warning("a job failed", job=name, reason=str(error).strip())
            if self._connection is not None:
                self._connection.close()
                self._connection = None
