"""Rule 7: after `close` has returned no event comes any more, and nothing is left running."""

import time

import pytest

from outbox.session.port import Transition
from tests.conformance.owner import Owner, Owners, attempt, attempts
from tests.conformance.subject import Stimulus, Subject


def test_unused(subject: Subject, owner: Owner) -> None:
    """A session that was never connected can be closed, and says nothing."""
    owner.close()
    assert not owner.events
    assert not subject.left_running()


def test_twice(connected: Owner) -> None:
    """To close a second time does nothing."""
    connected.close()
    told = list(connected.events)
    connected.close()
    assert connected.events == told


def test_connected(subject: Subject, connected: Owner, stimulus: Stimulus) -> None:
    """Closing ends the connection: that is the last event, whatever happens to the account."""
    connected.sent(attempt())
    connected.close()
    told = list(connected.events)
    assert isinstance(told[-1], Transition)
    assert connected.transitions() == ["connected", "disconnected"]
    assert not subject.left_running()
    stimulus.receipt("3EB0000000000000000000", "delivered")
    stimulus.log_out()
    assert connected.events == told


def test_in_flight(subject: Subject, connected: Owner, stimulus: Stimulus) -> None:
    """Within ten seconds what is in flight has its outcome, before the end is told."""
    these = attempts(min(subject.at_once, 5))
    stimulus.silence()
    connected.session.send(these)
    stimulus.wait_received(len(these))
    before = time.monotonic()
    connected.close()
    assert time.monotonic() - before < 10
    assert {outcome.type for outcome in connected.outcomes(these)} == {"unknown"}
    assert isinstance(connected.events[-1], Transition)
    assert not subject.left_running()


def test_just_handed_over(subject: Subject, connected: Owner, stimulus: Stimulus) -> None:
    """What was handed over a moment before has an outcome that is true."""
    these = attempts(connected.session.capacity)
    connected.session.send(these)
    connected.close()
    outcomes = connected.outcomes(these)
    received = {one.message_id for one in stimulus.received()}
    assert {o.message_id for o in outcomes if o.type == "sent"} <= received
    assert len(received) <= len([o for o in outcomes if o.type != "not_sent"])
    assert not subject.left_running()


def test_while_connecting(subject: Subject, owner: Owner) -> None:
    """Closing while the session connects ends that, too, and the last transition says so."""
    owner.session.connect()
    owner.close()
    assert owner.transitions() in (["disconnected"], ["connected", "disconnected"])
    assert not subject.left_running()


@pytest.mark.parametrize("again", range(3))
def test_the_next_session(owners: Owners, stimulus: Stimulus, again: int) -> None:
    """The account can be connected by the next session at once."""
    for _ in range(again + 1):
        owner = owners()
        owner.connect()
        assert owner.sent(attempt())[0].type == "sent"
        owner.close()
    assert len(stimulus.received()) == again + 1
