"""Rules 4 and 6: how a connection begins and ends, and that it never begins by itself."""

import time
from collections.abc import Callable

import pytest

from outbox.session.port import Outcome, Transition, TransitionType
from tests.conformance.owner import Owner, Owners, attempt, attempts
from tests.conformance.subject import Stimulus, Subject

Ending = Callable[[Stimulus], None]

ENDINGS: dict[str, tuple[TransitionType, Ending]] = {
    "drop": ("disconnected", lambda stimulus: stimulus.drop()),
    "offline": ("disconnected", lambda stimulus: stimulus.offline()),
    "replace": ("replaced", lambda stimulus: stimulus.replace()),
    "log_out": ("logged_out", lambda stimulus: stimulus.log_out()),
    "ban": ("banned", lambda stimulus: stimulus.ban(3600)),
    "outdate": ("outdated", lambda stimulus: stimulus.outdate()),
}
REFUSALS = {name: ENDINGS[name] for name in ("offline", "log_out", "ban", "outdate")}

ending = pytest.mark.parametrize(("kind", "end"), ENDINGS.values(), ids=ENDINGS)
refusal = pytest.mark.parametrize(("kind", "refuse"), REFUSALS.values(), ids=REFUSALS)


def test_connect(owner: Owner, stimulus: Stimulus) -> None:
    """A session does nothing before `connect`, which ends in a transition to `connected`."""
    assert not stimulus.logins()
    owner.connect()
    assert owner.transitions() == ["connected"]
    assert stimulus.logins() == 1


def test_connect_twice(owner: Owner, stimulus: Stimulus) -> None:
    """To connect while connecting, or while connected, does nothing."""
    owner.session.connect()
    owner.connect()
    owner.session.connect()
    assert owner.sent(attempt())[0].type == "sent"
    assert owner.transitions() == ["connected"]
    assert stimulus.logins() == 1


def told(subject: Subject, kind: TransitionType) -> TransitionType:
    """Return which transition tells of an end, while connected."""
    return "disconnected" if kind in subject.hears_at_login else kind


@ending
def test_end(
    subject: Subject, connected: Owner, stimulus: Stimulus, kind: TransitionType, end: Ending
) -> None:
    """The end of a connection is told once, by the transition that names its cause."""
    end(stimulus)
    kind = told(subject, kind)
    assert connected.transition(kind).reason
    assert connected.sent(attempt())[0].type == "not_sent"
    assert connected.transitions() == ["connected", kind]


@ending
def test_outcomes_before_the_end(
    subject: Subject, connected: Owner, stimulus: Stimulus, kind: TransitionType, end: Ending
) -> None:
    """When a connection ends, the outcomes of what was in flight come before the transition."""
    these = attempts(min(subject.at_once, 5))
    stimulus.silence()
    connected.session.send(these)
    stimulus.wait_received(len(these))
    end(stimulus)
    connected.transition(told(subject, kind))
    events = [event for event in connected.events if isinstance(event, Outcome | Transition)]
    assert {event.type for event in events[1:-1]} == {"unknown"}
    assert len(events) == 1 + len(these) + 1
    assert isinstance(events[-1], Transition)
    connected.check_one_outcome_each()


@refusal
def test_refused_login(
    owner: Owner, stimulus: Stimulus, kind: TransitionType, refuse: Ending
) -> None:
    """A login that is refused ends in the transition that names the cause, and counts for none."""
    refuse(stimulus)
    owner.session.connect()
    assert owner.transition(kind).reason
    assert owner.transitions() == [kind]
    assert owner.sent(attempt())[0].type == "not_sent"


@refusal
def test_connect_again(
    owner: Owner, stimulus: Stimulus, kind: TransitionType, refuse: Ending
) -> None:
    """After a refusal `connect` tries again, as often as the owner says so."""
    refuse(stimulus)
    for nth in (1, 2):
        owner.session.connect()
        owner.transition(kind, nth)
    stimulus.lift()
    owner.connect()
    assert owner.sent(attempt())[0].type == "sent"


def test_ban_says_how_long(subject: Subject, connected: Owner, stimulus: Stimulus) -> None:
    """A temporary ban says in how many seconds it ends, also when a login is refused for it."""
    stimulus.ban(3600)
    connected.transition(told(subject, "banned"))
    if "banned" in subject.hears_at_login:
        connected.session.connect()
    for nth in (1, 2):
        left = connected.transition("banned", nth).retry_after
        assert left is not None
        assert 3500 < left <= 3600
        connected.session.connect()


def test_a_second_session_replaces_the_first(owners: Owners, stimulus: Stimulus) -> None:
    """Of two sessions of an account only the second is connected: the first is `replaced`."""
    first, second = owners(), owners()
    first.connect()
    second.connect()
    first.transition("replaced")
    assert first.sent(attempt())[0].type == "not_sent"
    assert second.sent(attempt())[0].type == "sent"
    assert len(stimulus.received()) == 1


@pytest.mark.parametrize("kind", ["disconnected", "replaced"])
def test_no_reconnection_by_itself(
    subject: Subject, connected: Owner, stimulus: Stimulus, kind: TransitionType
) -> None:
    """Once a session has said that it has lost its connection, only the owner has it built again.

    Until then a library may have been quicker than whoever ends its process.
    """
    if kind == "disconnected":
        stimulus.drop()
    else:
        stimulus.replace()
    connected.transition(kind)
    before = stimulus.logins()
    time.sleep(subject.reconnects_within)
    assert stimulus.logins() == before
    connected.connect(nth=2)
    assert stimulus.logins() == 2
    assert connected.sent(attempt())[0].type == "sent"


def test_reconnect_many_times(connected: Owner, stimulus: Stimulus) -> None:
    """A session can lose and build its connection as often as need be."""
    for nth in range(1, 6):
        assert connected.sent(attempt())[0].type == "sent"
        stimulus.drop()
        connected.transition("disconnected", nth)
        connected.connect(nth + 1)
    assert len(stimulus.received()) == 5
