"""Several workers, paused ones and stopped ones: one owner at a time, whoever is told what."""

import signal
import time

from outbox.session.phone import Fault
from tests.crash.stage import SimulatedStage
from tests.crash.verdict import judge


def test_two_workers_share_an_account(stage: SimulatedStage) -> None:
    """Killed in turn, each leaves to the other what it was sending; never do both deliver."""
    workers = [stage.worker(), stage.worker()]
    for turn in range(6):
        stage.enqueue_mix(30)
        time.sleep(stage.lots.uniform(0.05, 0.2))
        stage.kill(workers[turn % 2])
        stage.lapse()
        workers[turn % 2] = stage.worker()
    for worker in workers:
        stage.stop(worker)
    stage.finish()
    verdict = judge(stage)
    assert not verdict.breaches
    assert verdict.delivered + verdict.held >= verdict.accepted


def test_two_workers_in_peace_double_nothing(stage: SimulatedStage) -> None:
    """The lease alone decides who delivers."""
    workers = [stage.worker(), stage.worker()]
    for _ in range(10):
        stage.enqueue_mix(20)
        time.sleep(0.03)
    stage.settled()
    for worker in workers:
        stage.stop(worker)
    verdict = judge(stage)
    assert not verdict.breaches
    assert (verdict.delivered, verdict.doubled) == (200, 0)


def test_worker_that_sleeps_past_its_lease_is_fenced(stage: SimulatedStage) -> None:
    """SIGSTOP, the lease goes to another, SIGCONT: what it still believes is refused."""
    worker = stage.worker()
    stage.up(worker)
    for _ in range(4):
        stage.enqueue_mix(30)
        time.sleep(stage.lots.uniform(0.02, 0.15))
        stage.signal(worker, signal.SIGSTOP)
        stage.lapse()
        sleeping, worker = worker, stage.worker()
        time.sleep(stage.lots.uniform(0, 0.2))
        stage.signal(sleeping, signal.SIGCONT)
        stage.enqueue_mix(10)
        time.sleep(stage.lots.uniform(0, 0.1))
        stage.signal(sleeping, signal.SIGTERM)
        stage.up(worker)
    stage.stop(worker)
    stage.finish()
    verdict = judge(stage)
    assert not verdict.breaches
    assert verdict.delivered + verdict.held >= verdict.accepted


def test_worker_that_sleeps_while_handing_over_sends_nothing_late(stage: SimulatedStage) -> None:
    """Asleep between the commit and the frame, it wakes when another has sent it again."""
    stage.enqueue(40)
    worker = stage.worker("sleep after start")
    stage.until(lambda: stage.count("sending"), "an attempt is durable")
    stage.until(lambda: stage.is_asleep(worker), "it sleeps")
    stage.lapse()
    other = stage.worker()
    stage.settled()
    stage.signal(worker, signal.SIGCONT)
    stage.enqueue(20)
    stage.settled()
    stage.stop(worker)
    stage.stop(other)
    stage.finish()
    verdict = judge(stage)
    assert not verdict.breaches
    assert (verdict.delivered, verdict.doubled) == (60, 0)


def test_stopped_worker_leaves_nothing_unknown(stage: SimulatedStage) -> None:
    """SIGTERM, twice, in the middle of sending: what is out lands, nothing more is started."""
    for _ in range(4):
        ended = stage.count("sent", "delivered")
        stage.enqueue_mix(40)
        worker = stage.worker()
        stage.up(worker)
        stage.until(lambda: stage.count("sent", "delivered") > ended, "something is sent")  # noqa: B023
        stage.signal(worker, signal.SIGTERM)
        stage.stop(worker)
        assert stage.count("sending", "unknown") == 0
    stage.finish()
    verdict = judge(stage)
    assert not verdict.breaches
    assert (verdict.delivered, verdict.doubled, verdict.held) == (160, 0, 0)


def test_notification_that_kills_its_worker_is_a_dead_letter_in_the_end(
    stage: SimulatedStage,
) -> None:
    """An attempt counts when it starts, so a poisonous one is not tried for ever."""
    stage.policy(max_attempts=3)
    poison = stage.enqueue(1)
    stage.enqueue(9)
    for _ in range(3):
        stage.dies(stage.worker("after start"))
        stage.lapse()
    stage.finish()
    ended = stage.database.execute(
        "select id, state from outbox.notification where state = 'exhausted'"
    ).fetchall()
    states = {row[0]: row[1] for row in ended}
    assert poison[0] in states
    verdict = judge(stage, states)
    assert not verdict.breaches


def test_receipts_that_come_twice_or_for_nobody_change_nothing(stage: SimulatedStage) -> None:
    """And those that come before the acknowledgement count."""
    with stage.phone.control() as control:
        control.behave(latency=0.03, delivered=0.001, read=0.002, duplicate=0.5, stray=0.5)
        control.fault(Fault("drop_after_frame", account=stage.account, after=30))
        worker = stage.worker()
        stage.enqueue(60)
        stage.until(lambda: control.stats().get("dropped"), "it is dropped")
        stage.until(lambda: stage.account not in control.stats()["connected"], "it is away")
        stage.until(
            lambda: stage.database.execute(
                "select 1 from outbox.connection where state = 'waiting'"
            ).fetchone(),
            "it waits",
        )
        stage.resume()
        stage.settled()
        stage.until(lambda: stage.count("read") == 60, "all are read")
    stage.stop(worker)
    verdict = judge(stage)
    assert not verdict.breaches
    assert (verdict.delivered, verdict.doubled) == (60, 0)
