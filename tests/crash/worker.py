"""The worker that the crash tests kill: the product's, impatient, and armed with a point."""

import os
import sys
from collections.abc import Mapping

from outbox.delivery import evidence, owner
from outbox.delivery.worker import run_worker
from outbox.log.store import WhatsmeowStore
from outbox.session.port import OpenSession
from outbox.session.simulated import open_simulated
from outbox.session.whatsapp.session import PROGRAM, open_whatsapp
from outbox.settings import Settings
from tests.crash.points import Point, arm

MORTAL = ("tests.crash.mortal", *PROGRAM)
"""A session process that takes the tests' server for WhatsApp, and may be killed."""


def main(environment: Mapping[str, str], log: str, point: str | None, passage: int) -> None:
    """Run a worker in this process.

    Args:
        environment: What its settings are read from.
        log: The file that it says everything to.
        point: Where it dies, of `points.POINTS`; None: it lives until it is told to stop.
        passage: At the how many-th passage.
    """
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(told, sys.stdout.fileno())
    os.dup2(told, sys.stderr.fileno())
    os.environ.update(environment)
    owner._RETRY_SECONDS = 0.05
    owner._AWAY_SECONDS = 0.2
    evidence._SETTLE_SECONDS = evidence._HELD_SECONDS = 0.05
    arm(Point(point, passage))
    settings = Settings()  # type: ignore[call-arg]  # the rest comes from the environment
    run_worker(settings, _opener(settings))


def _opener(settings: Settings) -> OpenSession:
    if settings.session.startswith("simulated:"):
        return open_simulated(settings.session)
    store = WhatsmeowStore(settings.database_url)
    return open_whatsapp(settings.session, store, program=MORTAL)
