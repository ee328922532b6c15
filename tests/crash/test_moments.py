"""Disturbed at moments drawn by lot, the outbox loses nothing, and doubles nothing unsaid.

Each seed is one run: some hundred notifications, several disturbances, one verdict.
"""

import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from outbox.session.phone import Control, Fault
from tests.crash.stage import SimulatedStage
from tests.crash.verdict import judge


def test_kills_at_any_moment(make_stage: Callable[[int], SimulatedStage], seed: int) -> None:
    """Whenever workers are killed, the next ones end what those had begun, by evidence."""
    stage = make_stage(seed)
    for _ in range(8):
        stage.enqueue_mix(15)
        worker = stage.worker()
        time.sleep(stage.lots.uniform(0, 0.25))
        stage.enqueue_mix(5)
        time.sleep(stage.lots.uniform(0, 0.05))
        stage.kill(worker)
        stage.lapse()
    stage.finish()
    verdict = judge(stage)
    assert not verdict.breaches
    assert verdict.delivered + verdict.held >= verdict.accepted


_HAPPENINGS = ("kill", "kill", "stop", "pause", "drop", "half", "trace", "owner", "jobs", "all")


def test_everything_at_once(make_stage: Callable[[int], SimulatedStage], seed: int) -> None:
    """Kills, pauses, lost connections of both kinds, in any order: the rules hold all the same."""
    stage = make_stage(seed)
    worker = stage.worker()
    with stage.phone.control() as control:
        control.fault(Fault("fail", account=stage.account, probability=0.03, times=None))
        for _ in range(10):
            stage.enqueue_mix(15)
            time.sleep(stage.lots.uniform(0, 0.15))
            happening = stage.lots.choice(_HAPPENINGS)
            if happening in {"kill", "stop", "pause"}:
                worker = _exchange(stage, worker, happening)
            else:
                _disturb(stage, control, happening)
            stage.resume()
        control.heal()
    stage.resume()
    stage.stop(worker)
    stage.finish()
    verdict = judge(stage)
    assert not verdict.breaches
    assert verdict.delivered + verdict.held >= verdict.accepted


def _exchange(stage: SimulatedStage, worker: BaseProcess, how: str) -> BaseProcess:
    """Let another worker take a worker's place."""
    if how == "stop":
        stage.signal(worker, signal.SIGTERM)
        return stage.worker()
    if how == "kill":
        stage.kill(worker)
        stage.lapse()
        return stage.worker()
    stage.signal(worker, signal.SIGSTOP)
    stage.lapse()
    other = stage.worker()
    time.sleep(stage.lots.uniform(0, 0.3))
    stage.signal(worker, signal.SIGCONT)
    stage.signal(worker, signal.SIGTERM)
    return other


def _disturb(stage: SimulatedStage, control: Control, how: str) -> None:
    """Take away a connection, of the session or to the database."""
    match how:
        case "drop":
            control.drop(stage.account)
        case "half":
            control.fault(Fault("drop_after_frame", account=stage.account, after=3))
        case "trace":
            control.fault(Fault("drop_before_frame", account=stage.account, after=3))
        case "owner" | "jobs":
            stage.terminate(f"outbox {how}")
        case _:
            control.drop(stage.account)
            stage.terminate("outbox")
