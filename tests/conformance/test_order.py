"""Rule 5: in order per recipient."""

from collections import defaultdict

from tests.conformance.owner import Owner, attempt
from tests.conformance.subject import Stimulus


def test_per_recipient(connected: Owner, stimulus: Stimulus) -> None:
    """Attempts to one recipient are received in the order in which they were handed over."""
    jids = [f"44770090012{n}@s.whatsapp.net" for n in range(3)]
    these = [attempt(jids[n % 3], str(n)) for n in range(60)]
    size = min(connected.session.capacity, 7)
    handed: defaultdict[str, list[str | None]] = defaultdict(list)
    for start in range(0, len(these), size):
        batch = these[start : start + size]
        for one, outcome in zip(batch, connected.sent(*batch), strict=True):
            handed[one.jid].append(outcome.message_id)
    received: defaultdict[str, list[str | None]] = defaultdict(list)
    for message in stimulus.received():
        received[message.jid].append(message.message_id)
    assert received == handed


def test_in_one_burst(connected: Owner, stimulus: Stimulus) -> None:
    """The same holds for many calls with nothing awaited in between."""
    these = [
        attempt("447700900121@s.whatsapp.net", str(n)) for n in range(connected.session.capacity)
    ]
    for one in these:
        connected.session.send([one])
    outcomes = connected.outcomes(these)
    assert [r.message_id for r in stimulus.received()] == [o.message_id for o in outcomes]
