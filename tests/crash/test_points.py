"""A worker killed with SIGKILL at each named point loses nothing, and doubles nothing unsaid."""

import signal

import pytest

from tests.crash.points import POINTS
from tests.crash.stage import SimulatedStage
from tests.crash.verdict import SUCCESS, judge

_UNKNOWN = "after frame"
"""Dying here leaves attempts of unknown outcome."""
_STOPPING = ("draining", "release")
_SETTLING = ("receipts", "settle", "question")


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_here_loses_nothing_and_doubles_nothing_unsaid(
    stage: SimulatedStage, point: str
) -> None:
    """Whatever step a worker dies at, another one ends what it had begun, by evidence."""
    settling = point.endswith(_SETTLING)
    if point.endswith("settle"):
        with stage.phone.control() as control:
            control.behave(delivered=None)  # no evidence comes, so the policy has to decide
    stage.enqueue(40)
    for passage in (3, 1):
        stage.enqueue(20)
        if settling:
            stage.dies(stage.worker(_UNKNOWN, 8))
            stage.lapse()
        ended = stage.count(*SUCCESS)
        worker = stage.worker(point, passage if _is_repeated(point) and not settling else 1)
        if point.endswith(_STOPPING):
            stage.until(lambda: stage.count(*SUCCESS) > ended, "something is sent")  # noqa: B023
            stage.signal(worker, signal.SIGTERM)
        stage.dies(worker)
        stage.lapse()
    stage.finish()
    verdict = judge(stage)
    assert not verdict.breaches
    assert verdict.delivered == verdict.accepted


def _is_repeated(point: str) -> bool:
    """Whether a worker that nobody disturbs comes here more than once."""
    return point.endswith(("start", "record", "receipts", "trace", "frame", "acknowledgement"))
