"""Rules 1 and 2: one outcome for each attempt, and never a false `not_sent`."""

from uuid import uuid4

import pytest

from outbox.session.port import Attempt
from tests.conformance.owner import Owner, Owners, attempt, attempts
from tests.conformance.subject import Stimulus, Subject


def some(owner: Owner, at_most: int = 5) -> list[Attempt]:
    """Return attempts to several recipients, as many as the session takes."""
    return attempts(min(owner.session.capacity, at_most))


def test_sent(connected: Owner, stimulus: Stimulus) -> None:
    """An acknowledged attempt is `sent`, and its message id is the one that was received."""
    one = attempt()
    (outcome,) = connected.sent(one)
    assert outcome.type == "sent"
    assert [(r.jid, r.message_id) for r in stimulus.received()] == [(one.jid, outcome.message_id)]


def test_many(connected: Owner, stimulus: Stimulus) -> None:
    """As many attempts as the capacity allows may be handed over before the first outcome."""
    outcomes = connected.sent(*attempts(connected.session.capacity))
    assert {outcome.type for outcome in outcomes} == {"sent"}
    assert len(stimulus.received()) == len(outcomes)


def test_none(connected: Owner) -> None:
    """To hand over no attempts is allowed and changes nothing."""
    connected.session.send([])
    assert connected.sent(attempt())[0].type == "sent"


def test_each_attempt_is_a_message_of_its_own(connected: Owner, stimulus: Stimulus) -> None:
    """Two attempts of one notification have different message ids."""
    notification = uuid4()
    outcomes = [
        connected.sent(
            Attempt(
                notification, number, "447700900121@s.whatsapp.net", {"kind": "text", "text": "a"}
            )
        )[0]
        for number in (1, 2)
    ]
    ids = [outcome.message_id for outcome in outcomes]
    assert len(set(ids)) == 2
    assert [one.message_id for one in stimulus.received()] == ids


def test_not_sent_before_connecting(owner: Owner, stimulus: Stimulus) -> None:
    """Without a connection each attempt ends as `not_sent`, and connecting later sends none."""
    outcomes = owner.sent(*some(owner))
    assert {outcome.type for outcome in outcomes} == {"not_sent"}
    owner.connect()
    assert owner.sent(attempt())[0].type == "sent"
    assert len(stimulus.received()) == 1


def test_not_sent_after_a_drop(connected: Owner, stimulus: Stimulus) -> None:
    """After the connection was lost each attempt ends as `not_sent`."""
    stimulus.drop()
    connected.transition("disconnected")
    assert connected.sent(attempt())[0].type == "not_sent"
    assert not stimulus.received()


def test_while_connecting(owner: Owner, stimulus: Stimulus) -> None:
    """An attempt handed over while the session connects is sent or `not_sent`, and truly so."""
    these = some(owner)
    owner.session.connect()
    outcomes = owner.sent(*these)
    owner.transition("connected")
    ids = [outcome.message_id for outcome in outcomes if outcome.type == "sent"]
    assert {outcome.type for outcome in outcomes} <= {"sent", "not_sent"}
    assert [one.message_id for one in stimulus.received()] == ids


@pytest.mark.parametrize("permanently", [False, True])
def test_refused(connected: Owner, stimulus: Stimulus, permanently: bool) -> None:  # noqa: FBT001
    """A refused attempt is `failed` or `rejected` with the server's words; others go on."""
    refused, other = attempt("447700900121@s.whatsapp.net"), attempt("447700900122@s.whatsapp.net")
    stimulus.refuse(refused.jid, permanently=permanently)
    bad, good = connected.sent(refused)[0], connected.sent(other)[0]
    assert bad.type == ("rejected" if permanently else "failed")
    assert bad.error
    assert good.type == "sent"
    assert [one.jid for one in stimulus.received()] == [other.jid]


def test_drop_before_the_frame(connected: Owner, stimulus: Stimulus) -> None:
    """An attempt whose frame was on its way when the connection dropped is `unknown`."""
    stimulus.drop_before_frame()
    assert connected.sent(attempt())[0].type == "unknown"
    assert not stimulus.received()


def test_drop_before_the_acknowledgement(connected: Owner, stimulus: Stimulus) -> None:
    """An attempt that was received but not acknowledged before the drop is `unknown`."""
    stimulus.drop_before_acknowledgement()
    (outcome,) = connected.sent(attempt())
    assert outcome.type == "unknown"
    assert len(stimulus.received()) == 1


@pytest.mark.parametrize("nth", [1, 2, 4])
def test_drop_in_the_midst(connected: Owner, stimulus: Stimulus, nth: int) -> None:
    """Of several in flight, those before the drop are `sent`; the others are never falsely so."""
    these = some(connected)
    stimulus.drop_before_acknowledgement(nth)
    outcomes = connected.sent(*these)
    assert {outcome.type for outcome in outcomes[nth:]} <= {"unknown", "not_sent"}
    assert [outcome.type for outcome in outcomes[: nth - 1]] == ["sent"] * (nth - 1)
    assert len(stimulus.received()) == nth


def test_no_acknowledgement_in_time(subject: Subject, owners: Owners, stimulus: Stimulus) -> None:
    """Without an acknowledgement in time it is `unknown`; the connection stays, or ends."""
    owner = owners(acknowledge_within=0.2)
    owner.connect()
    stimulus.silence()
    assert owner.sent(attempt())[0].type == "unknown"
    stimulus.answer()
    if not subject.survives_silence:
        owner.transition("disconnected")
        owner.connect(nth=2)
    assert owner.sent(attempt())[0].type == "sent"
    assert owner.transitions().count("connected") == 2 - subject.survives_silence
    assert len(stimulus.received()) == 2


def test_unknown_only_once(owners: Owners, stimulus: Stimulus) -> None:
    """What was `unknown` for want of an acknowledgement gets no second outcome at the end."""
    owner = owners(acknowledge_within=0.2)
    owner.connect()
    stimulus.silence()
    owner.sent(attempt())
    stimulus.drop()
    owner.transition("disconnected")
    owner.check_one_outcome_each()
