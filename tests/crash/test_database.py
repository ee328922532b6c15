"""A database that goes away costs time, nothing else."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from outbox import embedded
from outbox.log import migrate
from outbox.session.phone import Phone
from tests.crash.stage import SimulatedStage
from tests.crash.verdict import judge
from tests.databases import unused_home


@pytest.fixture(scope="module")
def server() -> Iterator[embedded.Server]:
    """A server that nobody else uses, to be crashed."""
    with unused_home() as home:
        try:
            server = embedded.server(home)
        except embedded.NotInstalledError as error:
            pytest.skip(f"crashing PostgreSQL needs one of our own: {error}")
        try:
            yield server.start()
        finally:
            server.remove()


@pytest.mark.parametrize("application", ["outbox owner", "outbox jobs", "outbox"])
def test_connections_that_are_cut(stage: SimulatedStage, application: str) -> None:
    """The owner's, the jobs', both: in the middle of whatever they do."""
    worker = stage.worker()
    stage.up(worker)
    cut = 0
    for _ in range(12):
        stage.enqueue_mix(15)
        time.sleep(stage.lots.uniform(0.01, 0.08))
        cut += stage.terminate(application)
    stage.settled()
    stage.stop(worker)
    verdict = judge(stage)
    assert cut > 0
    assert not verdict.breaches
    assert (verdict.delivered, verdict.doubled) == (180, 0)


def test_server_that_crashes(server: embedded.Server, phone: Phone, tmp_path: Path) -> None:
    """What was committed is there after its recovery, and what was out is settled."""
    url = server.url()
    migrate.upgrade(url)
    stage = SimulatedStage(url, phone, "crashing-server", 0, tmp_path)
    try:
        worker = stage.worker()
        stage.up(worker)
        for _ in range(3):
            stage.enqueue_mix(60)
            time.sleep(stage.lots.uniform(0.05, 0.2))
            stage.database.close()
            server.restart("immediate")
            stage.connect()
        stage.settled()
        stage.stop(worker)
        verdict = judge(stage)
        assert not verdict.breaches
        assert (verdict.delivered, verdict.doubled) == (180, 0)
    finally:
        stage.close()


def test_server_and_worker_that_crash_together(
    server: embedded.Server, phone: Phone, tmp_path: Path
) -> None:
    """As when the machine loses its power."""
    url = server.url("postgres")
    migrate.upgrade(url)
    stage = SimulatedStage(url, phone, "crashing-machine", 0, tmp_path)
    try:
        for _ in range(3):
            stage.enqueue_mix(40)
            worker = stage.worker()
            time.sleep(stage.lots.uniform(0.1, 0.3))
            stage.database.close()
            stage.kill(worker)
            server.restart("immediate")
            stage.connect()
            stage.lapse()
        stage.finish()
        verdict = judge(stage)
        assert not verdict.breaches
        assert verdict.delivered + verdict.held >= verdict.accepted
    finally:
        stage.close()
