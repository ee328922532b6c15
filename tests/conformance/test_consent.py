"""Consent: a word by which a person opts out or in is told, and nothing else that they write."""

import pytest

from outbox.session.port import Consent
from tests.conformance.owner import Owner
from tests.conformance.subject import Stimulus

FRIEND = "31600900777@s.whatsapp.net"


@pytest.mark.parametrize("written", ["STOP", "stop", " Stop! ", "Unsubscribe."])
def test_opting_out(connected: Owner, stimulus: Stimulus, written: str) -> None:
    """The word alone, however it is written, says who wants no more."""
    stimulus.write(FRIEND, written)
    (consent,) = connected.consents(1)
    assert consent == Consent(FRIEND, written.strip(" !.").upper(), opts_out=True)


def test_opting_in(connected: Owner, stimulus: Stimulus) -> None:
    """Another word says who wants them again."""
    stimulus.write(FRIEND, "Start")
    assert connected.consents(1) == [Consent(FRIEND, "START", opts_out=False)]


def test_what_else_is_written(connected: Owner, stimulus: Stimulus) -> None:
    """A text that has more in it than the word is nobody's business."""
    for text in ("stop by at six", "Please stop", "", "?"):
        stimulus.write(FRIEND, text)
    stimulus.write(FRIEND, "END")
    assert connected.consents(1) == [Consent(FRIEND, "END", opts_out=True)]


def test_while_away(connected: Owner, stimulus: Stimulus) -> None:
    """What was written while the session was away is told when it is connected again."""
    stimulus.drop()
    connected.transition("disconnected")
    stimulus.write(FRIEND, "STOP")
    connected.connect(nth=2)
    assert connected.consents(1)[0] == Consent(FRIEND, "STOP", opts_out=True)
