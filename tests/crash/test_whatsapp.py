"""Over neonize's own library: killed anywhere, nothing is lost, and no double is left unsaid."""

import time
from collections.abc import Callable

import pytest

from tests.crash.verdict import judge
from tests.crash.whatsapp import POINTS, WhatsappStage

MakeStage = Callable[[int], WhatsappStage]

WHO = ("worker", "process", "both")


def _judge(stage: WhatsappStage) -> None:
    verdict = judge(stage)
    assert not verdict.breaches
    assert verdict.delivered + verdict.held >= verdict.accepted


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point(make_whatsapp_stage: MakeStage, point: str, who: str) -> None:
    """Whoever is killed, at whichever point of a message: the next ones end what was begun."""
    stage = make_whatsapp_stage(0)
    stage.doom(point, who, passage=4)
    stage.enqueue(12, recipients=5)
    worker = stage.worker()
    if who == "process":
        stage.until(lambda: stage.connection_has("disconnected"), "the process is gone")
        stage.resume()
        stage.settled()
        stage.stop(worker)
    else:
        stage.dies(worker)
    stage.finish()
    _judge(stage)


@pytest.mark.parametrize("who", WHO)
def test_killed_between_frame_and_acknowledgement(make_whatsapp_stage: MakeStage, who: str) -> None:
    """The message has left and is unknown; a receipt settles it, so it is not sent again."""
    stage = make_whatsapp_stage(0)
    stage.policy(grace="10 seconds")  # a receipt is in time, however busy the machine is
    stage.other_side.silence()
    stage.enqueue(6, recipients=3)
    worker = stage.worker()
    stage.other_side.wait_received(1)
    stage.kill_now(worker, who)
    stage.other_side.wait_gone()  # a worker's session process outlives it, and may send one more
    stage.other_side.answer()
    for received in stage.other_side.received():
        stage.other_side.receipt(received.message_id, "delivered")
    if who == "process":
        stage.until(lambda: stage.connection_has("disconnected"), "the process is gone")
        stage.resume()
        stage.settled()
        stage.stop(worker)
    stage.finish()
    _judge(stage)
    assert judge(stage).doubled == 0


def test_killed_at_any_moment(make_whatsapp_stage: MakeStage, seed: int) -> None:
    """Workers, processes and both, at moments drawn by lot, with connections dropped between."""
    stage = make_whatsapp_stage(seed)
    worker = stage.worker()
    for _ in range(6):
        stage.enqueue_mix(10)
        match stage.lots.randrange(4):
            case 0:
                stage.other_side.drop_before_frame(stage.lots.randrange(1, 6))
            case 1:
                stage.other_side.drop_before_acknowledgement(stage.lots.randrange(1, 6))
        time.sleep(stage.lots.uniform(0, 0.9))
        who = stage.lots.choice(WHO)
        stage.kill_now(worker, who)
        if who != "process":
            stage.lapse()
            worker = stage.worker()
        stage.resume()
    stage.kill(worker)
    stage.finish()
    _judge(stage)
