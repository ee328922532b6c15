"""Rule 3: no trace, never left."""

import multiprocessing
from multiprocessing.connection import Connection
from uuid import uuid4

import pytest

from outbox.session.port import Attempt, OpenSession, SessionEvent, Transition
from tests.conformance.owner import Owner, attempt, attempts, key, no_media
from tests.conformance.subject import Stimulus, Subject


def test_of_what_was_sent(connected: Owner) -> None:
    """What was sent has left a trace that holds its message id."""
    these = attempts(3)
    outcomes = [connected.sent(one)[0] for one in these]
    assert connected.session.trace([key(one) for one in these]) == {
        key(outcome): outcome.message_id for outcome in outcomes
    }


def test_of_what_never_left(connected: Owner, stimulus: Stimulus) -> None:
    """What was never handed over, or ended as `not_sent`, has left none."""
    never, before = attempt(), attempt()
    stimulus.drop()
    connected.transition("disconnected")
    assert connected.sent(before)[0].type == "not_sent"
    connected.connect(nth=2)
    assert not connected.session.trace([key(never), key(before)])


def test_is_the_attempts_own(connected: Owner) -> None:
    """A trace belongs to one attempt: another of the same notification has none by it."""
    notification = uuid4()
    connected.sent(
        Attempt(notification, 1, "447700900121@s.whatsapp.net", {"kind": "text", "text": "a"})
    )
    assert connected.session.trace([(notification, 1), (notification, 2)]).keys() == {
        (notification, 1)
    }


@pytest.mark.parametrize("received", [False, True])
def test_of_the_unknown(connected: Owner, stimulus: Stimulus, received: bool) -> None:  # noqa: FBT001
    """An attempt that was transmitted when the connection dropped has left a trace.

    It is the one of the message that was received, if it was: its receipt settles the outcome.
    """
    if received:
        stimulus.drop_before_acknowledgement()
    else:
        stimulus.drop_before_frame()
    one = attempt()
    (outcome,) = connected.sent(one)
    assert outcome.type == "unknown"
    connected.transition("disconnected")
    connected.connect(nth=2)
    message_id = connected.session.trace([key(one)])[key(one)]
    assert outcome.message_id in {None, message_id}
    assert [r.message_id for r in stimulus.received()] == [message_id] * received


def test_of_nothing(connected: Owner) -> None:
    """To ask for the traces of no attempts is allowed."""
    assert connected.session.trace([]) == {}


def test_without_a_connection(owner: Owner) -> None:
    """Without a connection asking raises, because no answer would be no proof."""
    with pytest.raises(ConnectionError):
        owner.session.trace([key(attempt())])


def test_after_a_drop(connected: Owner, stimulus: Stimulus) -> None:
    """After the connection was lost asking raises, too."""
    stimulus.drop()
    connected.transition("disconnected")
    with pytest.raises(ConnectionError):
        connected.session.trace([key(attempt())])


def send_and_hang(opener: OpenSession, account: str, these: list[Attempt], up: Connection) -> None:
    """Be a worker: connect, hand over, and wait to be killed."""

    def emit(event: SessionEvent) -> None:
        if isinstance(event, Transition):
            up.send(event.type)

    session = opener(account, emit, no_media)
    session.connect()
    up.recv()
    session.send(these)
    up.recv()


def test_outlives_its_process(subject: Subject, owner: Owner, stimulus: Stimulus) -> None:
    """A killed process takes no trace along: the next one finds what has left, and only that."""
    these = attempts(min(subject.at_once, 3))
    stimulus.silence()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    worker = context.Process(
        target=send_and_hang, args=(subject.opener(), subject.account, these, theirs)
    )
    worker.start()
    theirs.close()
    try:
        assert ours.recv() == "connected"
        ours.send("go on")
        stimulus.wait_received(len(these))
    finally:
        worker.kill()
        worker.join()
        worker.close()
        ours.close()
    owner.connect()
    traces = owner.session.trace([key(one) for one in [*these, attempt()]])
    assert traces.keys() == {key(one) for one in these}
    assert sorted(traces.values()) == sorted(one.message_id for one in stimulus.received())
