"""The worker: a process that owns accounts and delivers for them, until it is told to stop."""

from __future__ import annotations

import signal
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import structlog

from outbox.delivery.about import describe_worker
from outbox.delivery.owner import Owner
from outbox.delivery.schedule import (
    archive,
    erase,
    expire,
    partitions,
    renew,
    rescue,
    seal,
    webhooks,
)
from outbox.delivery.schedule.scheduler import Schedule
from outbox.delivery.traces import begin_traces

if TYPE_CHECKING:
    from types import FrameType

    from outbox.session.port import OpenSession
    from outbox.settings import Settings


def run_worker(settings: Settings, open_session: OpenSession) -> None:
    """Deliver until SIGTERM or SIGINT, then drain and give the accounts back.

    Heroku sends SIGTERM, perhaps twice, and SIGKILL after 30 seconds
    (https://devcenter.heroku.com/articles/dyno-shutdown-behavior).

    Args:
        settings: What the environment says.
        open_session: Makes the accounts' sessions.
    """
    log = structlog.get_logger()
    owners, schedule = plan(settings, open_session)
    told: SimpleQueue[str] = SimpleQueue()

    def stop(number: int, _frame: FrameType | None) -> None:
        # No more than this: what is interrupted may hold the log's lock, or an owner's.
        told.put(signal.Signals(number).name)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    schedule.start()
    traces = begin_traces(settings)
    log.info("started", accounts=list(settings.accounts), **describe_worker())
    log.info("stopping", signal=_next(told))
    for owner in owners:
        owner.stop()
    schedule.wait()
    schedule.shutdown()
    if traces is not None:
        traces.end()
    log.info("stopped")


def _next(told: SimpleQueue[str]) -> str:
    """Return what the handler puts in, looking up each second.

    Python runs a handler between two instructions of the main thread. A signal that comes after the
    last one before a wait without an end would wait along with it, until another signal came.
    """
    while True:
        try:
            return told.get(timeout=1)
        except Empty:
            continue


def plan(settings: Settings, open_session: OpenSession) -> tuple[list[Owner], Schedule]:
    """Return the owners of a worker's accounts and the schedule that drives them, not started."""
    about = describe_worker()
    owners = [Owner(settings, account, open_session, about) for account in settings.accounts]
    jobs = [
        rescue.job(),
        renew.job(owners, settings.lease_seconds),
        expire.job(),
        erase.job(),
        partitions.job(),
        seal.job(),
        webhooks.job(settings),
        archive.job(settings),
    ]
    return owners, Schedule(settings.database_url, owners, jobs, pooled=settings.pooled)
