"""Recipients: what becomes of a number, and what is refused."""

import subprocess
import sys

import pytest

from outbox import recipient
from outbox.errors import InvalidRecipient
from outbox.rules import RULES
from tests.content_examples import JIDS, NOBODY


@pytest.mark.parametrize(("to", "jid"), JIDS.items())
def test_a_recipient_has_one_jid(to: str, jid: str) -> None:
    """Numbers become JIDs, and JIDs stay as they are."""
    assert recipient.jid(to) == jid
    assert recipient.jid(jid) == jid


@pytest.mark.parametrize("to", NOBODY)
def test_what_is_no_recipient_is_refused(to: str) -> None:
    """A text that is no recipient is refused with the text and the way out."""
    with pytest.raises(InvalidRecipient) as refused:
        recipient.jid(to)
    assert refused.value.rule == "bad_recipient"
    assert refused.value.hint.endswith(RULES["bad_recipient"].hint)


@pytest.mark.parametrize(
    ("to", "meant"),
    [
        ("+44 (0)7700 900123", "+447700900123"),
        ("+4407700900123", "+447700900123"),
        ("+39 (06) 69812345", "+390669812345"),
        ("447700900123", "+447700900123"),
        ("00447700900123", "+447700900123"),
        (" +44 7700 900123\n", "+447700900123"),
        ("447700900123@c.us", "447700900123@s.whatsapp.net"),
        ("447700900123:3@s.whatsapp.net", "447700900123@s.whatsapp.net"),
        ("+447700900123@s.whatsapp.net", "447700900123@s.whatsapp.net"),
    ],
)
def test_what_was_probably_meant_is_offered(to: str, meant: str) -> None:
    """A refusal offers what the text stands for, and that is a recipient."""
    with pytest.raises(InvalidRecipient) as refused:
        recipient.jid(to)
    assert f"Did you mean {meant}?" in refused.value.hint
    assert recipient.jid(meant)


def test_nothing_is_offered_for_nonsense() -> None:
    """A refusal does not guess."""
    with pytest.raises(InvalidRecipient) as refused:
        recipient.jid("ada")
    assert refused.value.hint == RULES["bad_recipient"].hint


@pytest.mark.parametrize(
    ("to", "jid"),
    [
        ("+1234567", "1234567@s.whatsapp.net"),
        ("+999123456789", "999123456789@s.whatsapp.net"),
        ("+44 1", None),
        ("+4407700900123", "4407700900123@s.whatsapp.net"),
        ("+5215512345678", "5215512345678@s.whatsapp.net"),
    ],
)
def test_a_number_of_no_plan_is_refused_and_its_jid_is_not(to: str, jid: str | None) -> None:
    """The numbering plans are asked for numbers only; the hint says how to skip them."""
    with pytest.raises(InvalidRecipient) as refused:
        recipient.jid(to)
    if jid is not None:
        assert jid in refused.value.hint
        assert recipient.jid(jid) == jid
        assert recipient.form(to) == jid


def test_only_people_are_users() -> None:
    """Groups, newsletters and the status are recipients, but nobody to mention."""
    users = {to for to in JIDS if recipient.is_user(to)}
    assert users == {to for to in JIDS if to.endswith(("@s.whatsapp.net", "@lid")) or to[0] == "+"}
    assert not any(map(recipient.is_user, NOBODY))
    assert not recipient.is_user(None)


def test_the_numbering_plans_are_loaded_when_needed() -> None:
    """A program that names JIDs only does not pay for the numbering plans."""
    code = (
        "import sys; from outbox import content, recipient; "
        "recipient.jid('1@lid'); content.Text(text='x', mentions=['+447700900123']); "
        "assert 'phonenumbers' not in sys.modules; "
        "recipient.jid('+447700900123'); assert 'phonenumbers' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
