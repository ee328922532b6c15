"""All rules at once, while connections come and go at any moment."""

import random
from collections.abc import Sequence

import pytest

from outbox.session.port import Attempt, Outcome, SessionEvent, Transition
from tests.conformance.owner import Key, Owner, Owners, attempt, key
from tests.conformance.subject import Stimulus, Subject

RECIPIENTS = [f"44770090012{n}@s.whatsapp.net" for n in range(10)]
ROUNDS = 100


def stir(stimulus: Stimulus, owner: Owner, lots: random.Random) -> None:
    """Do one thing that may happen at any moment."""
    match lots.randrange(12):
        case 0:
            stimulus.drop()
        case 1:
            stimulus.drop_before_frame(lots.randrange(1, 20))
        case 2:
            stimulus.drop_before_acknowledgement(lots.randrange(1, 20))
        case 3:
            stimulus.replace()
        case 4:
            stimulus.refuse(lots.choice(RECIPIENTS), permanently=lots.random() < 0.5)
        case 5:
            stimulus.answer()
        case _:
            owner.session.connect()


def live(owner: Owner, stimulus: Stimulus, lots: random.Random) -> list[Attempt]:
    """Use a session in all weathers, close it, and return what was handed over."""
    handed: list[Attempt] = []
    for _ in range(ROUNDS):
        settled = sum(isinstance(event, Outcome) for event in owner.events)
        room = owner.session.capacity - len(handed) + settled
        batch = [attempt(lots.choice(RECIPIENTS)) for _ in range(min(room, lots.randrange(12)))]
        owner.session.send(batch)
        handed += batch
        stir(stimulus, owner, lots)
    owner.close()
    return handed


def check_outcomes_before_the_end(events: Sequence[SessionEvent]) -> None:
    """Fail if an attempt that was taken has its outcome outside a connection."""
    connected = False
    for event in events:
        if isinstance(event, Transition):
            connected = event.type == "connected"
        elif isinstance(event, Outcome):
            assert connected or event.type == "not_sent"


@pytest.mark.parametrize("seed", range(8))
def test_storm(subject: Subject, owners: Owners, stimulus: Stimulus, seed: int) -> None:
    """Whatever happens: one outcome each, true outcomes, true traces, and nothing left running.

    True means: `sent` was received; `failed`, `rejected` and `not_sent` were not; and nothing was
    received that has left no trace.
    """
    lots = random.Random(seed)  # noqa: S311 - to be repeated
    told: dict[Key, Outcome] = {}
    for _ in range(3):
        owner = owners(close_within=0.1)
        handed = live(owner, stimulus, lots)
        told |= {key(outcome): outcome for outcome in owner.outcomes(handed)}
        check_outcomes_before_the_end(owner.events)
        assert not subject.left_running()

    stimulus.answer()
    judge = owners()
    judge.connect()
    traces = judge.session.trace(list(told))
    received = [one.message_id for one in stimulus.received()]
    assert len(set(received)) == len(received)
    assert set(received) <= set(traces.values())
    for one, outcome in told.items():
        trace = traces.get(one)
        if outcome.type == "sent":
            assert trace == outcome.message_id
            assert trace in received
        elif outcome.type == "unknown":
            assert trace is None or outcome.message_id in {None, trace}
        else:
            assert trace not in received
