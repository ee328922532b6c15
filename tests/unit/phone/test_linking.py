"""Accounts of a simulated phone that have to be linked: codes, and what becomes of them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from outbox.session.linking import LinkingError, NobodyScannedError, Paired, Shown
from outbox.session.phone import Control, Phone
from outbox.session.simulated_linking import SimulatedLinking
from tests.unit.phone.dialling import Dialled


@pytest.fixture
def unpaired(tmp_path: Path) -> Iterator[Phone]:
    """A phone whose accounts have to be paired."""
    with Phone.start(tmp_path, unpaired=True) as phone:
        yield phone


@pytest.fixture
def handset(unpaired: Phone) -> Iterator[Control]:
    """Its handset."""
    with unpaired.control() as control:
        yield control


@pytest.fixture
def linking(unpaired: Phone) -> SimulatedLinking:
    """What links its accounts."""
    return SimulatedLinking(unpaired.url)


def _login(phone: Phone, account: str = "main") -> str:
    with Dialled(phone, type="login", account=account) as session:
        answer = session.hear()
    assert answer is not None
    return str(answer["type"])


def test_a_phone_is_paired_unless_told_otherwise(phone: Phone) -> None:
    """Nobody has to pair an account in order to try the outbox."""
    assert SimulatedLinking(phone.url).is_paired("main")
    assert _login(phone) == "connected"


@pytest.mark.parametrize("number", [None, "447700900555"])
def test_a_code_pairs(
    unpaired: Phone, handset: Control, linking: SimulatedLinking, number: str | None
) -> None:
    """A login is refused until the code was used, and accepted from then on; others stay."""
    assert not linking.is_paired("main")
    assert _login(unpaired) == "logged_out"
    with closing(linking.pair("main", number)) as events:
        shown = next(events)
        assert isinstance(shown, Shown)
        assert shown.kind == ("qr" if number is None else "code")
        assert _login(unpaired) == "logged_out"
        handset.scan(shown.text)
        paired = next(events)
    assert isinstance(paired, Paired)
    assert paired.jid.startswith(f"{number or '447700900000'}:")
    assert linking.is_paired("main")
    assert _login(unpaired) == "connected"
    assert _login(unpaired, "other") == "logged_out"


def test_six_codes(handset: Control, linking: SimulatedLinking) -> None:
    """As many as WhatsApp gives, each instead of the one before; then time is up."""
    handset.behave(code=0.05)
    events = linking.pair("main")
    heard = [next(events) for _ in range(6)]
    with pytest.raises(NobodyScannedError, match="nobody has used a code in time"):
        next(events)
    shown = [event.text for event in heard if isinstance(event, Shown)]
    assert len(set(shown)) == len(shown) == 6
    with pytest.raises(ValueError, match="nobody shows the code"):
        handset.scan(shown[-1])


def test_who_waits_says_so(handset: Control, linking: SimulatedLinking) -> None:
    """While nothing happens the caller gets its turn, and whoever hangs up ends the code."""
    with closing(linking.pair("main")) as events:
        shown = next(events)
        assert isinstance(shown, Shown)
        assert next(events) is None
    assert not linking.is_paired("main")  # asked on a later connection, so the phone knows
    with pytest.raises(ValueError, match="nobody shows the code"):
        handset.scan(shown.text)


def test_a_refusal_has_a_reason(handset: Control, linking: SimulatedLinking) -> None:
    """At the beginning, and when a code is used."""
    with closing(linking.pair("main")) as events:
        shown = next(events)
        assert isinstance(shown, Shown)
        handset.stand("banned")
        handset.scan(shown.text)
        with pytest.raises(LinkingError, match="402: temporarily banned"):
            next(events)
    with pytest.raises(LinkingError, match="402: temporarily banned"):
        next(linking.pair("main"))
    handset.lift()
    assert not linking.is_paired("main")


def test_unlinked_on_the_handset(phone: Phone, control: Control) -> None:
    """The session ends as logged out, and its next login is refused."""
    with Dialled.logged_in(phone) as session:
        control.unlink("main")
        ending = session.hear()
    assert ending is not None
    assert ending["type"] == "logged_out"
    assert _login(phone) == "logged_out"
    assert _login(phone, "other") == "connected"


def test_unpair(phone: Phone) -> None:
    """From our side it is the same; to forget the login afterwards is harmless."""
    linking = SimulatedLinking(phone.url)
    linking.unpair("main")
    linking.forget("main")
    assert not linking.is_paired("main")
    assert _login(phone) == "logged_out"


def test_no_phone(tmp_path: Path) -> None:
    """Without a phone it is said where none answers."""
    linking = SimulatedLinking(f"simulated://{tmp_path}/s")
    for do in (linking.is_paired, linking.unpair, lambda account: next(linking.pair(account))):
        with pytest.raises(LinkingError, match="is away"):
            do("main")
