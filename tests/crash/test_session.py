"""A session that is lost at any point of a frame loses nothing, and doubles nothing unsaid."""

import time

import pytest

from outbox.session.phone import Control, Fault
from outbox.session.phone.behaviour import FaultKind
from tests.crash.stage import SimulatedStage
from tests.crash.verdict import judge


def _lose(stage: SimulatedStage, control: Control, kind: FaultKind, times: int = 6) -> None:
    """Let the session be lost so often, and connect again at once each time."""
    for _ in range(times):
        before = control.stats().get("logins", 0)
        control.fault(Fault(kind, account=stage.account, after=stage.lots.randrange(12)))
        stage.enqueue(20)
        lost = ("left", "dropped", "replaced")
        stage.until(lambda: _is_over(stage, control, before, lost), f"it is lost: {kind}")  # noqa: B023


def _is_over(stage: SimulatedStage, control: Control, before: int, lost: tuple[str, ...]) -> bool:
    """Whether the session is there again after it was lost."""
    stats = control.stats()
    if stage.account not in stats["connected"] and any(what in stats for what in lost):
        stage.resume()
    return bool(stats.get("logins", 0) > before and stage.account in stats["connected"])


@pytest.mark.parametrize("kind", ["drop_before_trace", "drop_before_frame", "drop_after_frame"])
def test_connection_dropped_around_a_frame(stage: SimulatedStage, kind: FaultKind) -> None:
    """Before the trace, between trace and frame, between frame and acknowledgement."""
    worker = stage.worker()
    stage.up(worker)
    with stage.phone.control() as control:
        stage.until(lambda: stage.account in control.stats()["connected"], "it connects")
        _lose(stage, control, kind)
    stage.settled()
    stage.stop(worker)
    verdict = judge(stage)
    assert not verdict.breaches
    assert verdict.delivered == verdict.accepted


def test_at_most_once_is_kept_when_acknowledgements_are_lost(stage: SimulatedStage) -> None:
    """What says `hold` is never sent again unless a trace proves that it never left."""
    worker = stage.worker()
    stage.up(worker)
    with stage.phone.control() as control:
        control.behave(delivered=None)  # nor does a receipt come that would settle it
        for _ in range(4):
            control.fault(Fault("drop_after_frame", account=stage.account, after=5))
            stage.enqueue(15, on_unknown="hold")
            time.sleep(0.2)
            stage.resume()
    stage.settled()
    time.sleep(0.5)  # several times the grace: nothing is to be sent again even then
    stage.stop(worker)
    verdict = judge(stage)
    assert not verdict.breaches
    assert verdict.doubled == 0
    assert verdict.held > 0


def test_lost_acknowledgements_without_receipts_double_and_say_so(stage: SimulatedStage) -> None:
    """What says `resend` is sent at least once: the double is real, and the log explains it."""
    worker = stage.worker()
    stage.up(worker)
    with stage.phone.control() as control:
        control.behave(delivered=None)
        control.fault(Fault("drop_after_frame", account=stage.account, after=5))
        stage.enqueue(15)
        stage.until(lambda: control.stats().get("dropped"), "it is dropped")
        stage.until(lambda: _is_over(stage, control, 0, ("dropped",)), "it is there again")
    stage.settled()
    stage.stop(worker)
    verdict = judge(stage)
    assert not verdict.breaches
    assert verdict.delivered == verdict.accepted
    assert verdict.doubled > 0


def test_acknowledgement_that_never_comes_is_settled_by_the_receipt(stage: SimulatedStage) -> None:
    """A server that stays silent about frames which it has delivered: nothing is sent twice."""
    stage.patience = 0.5
    worker = stage.worker()
    stage.up(worker)
    with stage.phone.control() as control:
        control.fault(Fault("silence", account=stage.account, probability=0.2, times=None))
        stage.enqueue(60)
        stage.settled()
    stage.stop(worker)
    verdict = judge(stage)
    assert not verdict.breaches
    assert (verdict.delivered, verdict.doubled) == (60, 0)


def test_account_that_is_offline_keeps_its_queue(stage: SimulatedStage) -> None:
    """Accepted while there is no connection, delivered once when there is one again."""
    worker = stage.worker()
    stage.up(worker)
    with stage.phone.control() as control:
        stage.until(lambda: stage.account in control.stats()["connected"], "it connects")
        control.stand("offline", stage.account)
        stage.enqueue_mix(60)
        time.sleep(0.3)
        assert stage.count("pending") == 60
        control.lift(stage.account)
    stage.resume()
    stage.settled()
    stage.stop(worker)
    verdict = judge(stage)
    assert not verdict.breaches
    assert (verdict.delivered, verdict.doubled) == (60, 0)


def test_replaced_session_doubles_nothing_unsaid(stage: SimulatedStage) -> None:
    """Another login takes the session away in the middle; the lease is taken anew."""
    worker = stage.worker()
    stage.up(worker)
    with stage.phone.control() as control:
        control.fault(Fault("replace", account=stage.account, after=20))
        stage.enqueue(60)
        stage.settled()
    stage.stop(worker)
    verdict = judge(stage)
    assert not verdict.breaches
    assert verdict.delivered == verdict.accepted


def test_rejected_and_failing_frames_end_as_they_should(stage: SimulatedStage) -> None:
    """A rejected one is a dead letter, a failed one is tried again, and order is kept."""
    worker = stage.worker()
    stage.up(worker)
    with stage.phone.control() as control:
        control.fault(Fault("fail", account=stage.account, probability=0.2, times=None))
        jid = "447700900003@s.whatsapp.net"
        control.fault(Fault("reject", account=stage.account, jid=jid, times=None, error="no"))
        accepted = stage.enqueue(60)
        rejected = [id_ for number, id_ in enumerate(accepted) if number % 10 == 3]
        stage.settled()
    stage.stop(worker)
    verdict = judge(stage, dict.fromkeys(rejected, "rejected"))
    assert not verdict.breaches
    assert verdict.delivered == 54


@pytest.mark.parametrize("on_unknown", ["resend", "hold"])
def test_receipts_that_waited_for_the_next_worker_settle_what_the_dead_one_left(
    stage: SimulatedStage, on_unknown: str
) -> None:
    """They come at once with its login, before it can have asked for the traces."""
    stage.policy(grace="5 seconds")
    with stage.phone.control() as control:
        control.behave(delivered=0.2)
    stage.enqueue(40, on_unknown=on_unknown)
    stage.dies(stage.worker("after frame", 8))
    stage.lapse()
    time.sleep(0.3)
    worker = stage.worker()
    stage.until(lambda: stage.count("sent", "delivered") == 40, "receipts settle it")
    stage.stop(worker)
    verdict = judge(stage)
    assert not verdict.breaches
    assert (verdict.delivered, verdict.doubled, verdict.held) == (40, 0, 0)
