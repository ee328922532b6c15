"""What WhatsApp refuses ends as the error tables say, through the library and with no number."""

import re

import pytest

from outbox.session.port import Outcome, OutcomeType
from tests.whatsapp.account import Account
from tests.whatsapp.conftest import Listen
from tests.whatsapp.listener import FRIEND
from tests.whatsapp.server import WhatsApp

STRANGER = "31600900003@s.whatsapp.net"


def _has_no_number(outcome: Outcome) -> bool:
    return not re.search(r"\d{5}", outcome.error or "")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (463, "restricted"),
        (429, "throttled"),
        (479, "failed"),
        (405, "rejected"),
        (420, "rejected"),
        (421, "failed"),
        (503, "failed"),
    ],
)
def test_refused(listen: Listen, account: Account, code: int, kind: OutcomeType) -> None:
    """The code of the refusal says what it means; the connection stays."""
    account.refuse(FRIEND, code)
    listener = listen()
    listener.connect()
    outcome = listener.outcome(listener.send())
    assert (outcome.type, outcome.error) == (kind, f"server returned error {code}")
    assert outcome.message_id is None
    assert outcome.registered is None
    assert listener.outcome(listener.send(STRANGER)).type == "sent"
    assert [one.type for one in listener.transitions()] == ["connected"]


def test_nobody(listen: Listen, account: Account) -> None:
    """A number that nobody has is rejected by itself, and is not in the error."""
    account.unregister("31600900004")  # nobody else's: the library remembers whom it has found
    listener = listen()
    listener.connect()
    outcome = listener.outcome(listener.send("31600900004@s.whatsapp.net"))
    assert outcome.type == "rejected"
    assert outcome.error == "no LID found for … from server"
    assert account.lookups() == 0


def test_checked_nobody(listen: Listen, account: Account) -> None:
    """A number that is checked first is rejected as not registered; nothing is received."""
    account.unregister("31600900003")
    listener = listen()
    listener.connect()
    outcome = listener.outcome(listener.send(STRANGER, check=True))
    assert (outcome.type, outcome.registered) == ("rejected", False)
    assert outcome.error == "its number is not on WhatsApp"
    assert account.lookups() == 1
    assert account.received() == []


def test_checked(listen: Listen, account: Account) -> None:
    """A number that is registered is said to be, whatever becomes of the message."""
    account.refuse(STRANGER, 463)
    listener = listen()
    listener.connect()
    outcome = listener.outcome(listener.send(check=True))
    assert (outcome.type, outcome.registered) == ("sent", True)
    outcome = listener.outcome(listener.send(STRANGER, check=True))
    assert (outcome.type, outcome.registered) == ("restricted", True)
    assert account.lookups() == 2


@pytest.mark.parametrize("to", ["120363000000000001@g.us", "120363000000000002@newsletter"])
def test_groups_are_not_checked(listen: Listen, account: Account, to: str) -> None:
    """A group or channel has no number to ask for."""
    listener = listen()
    listener.connect()
    outcome = listener.outcome(listener.send(to, check=True))
    assert (outcome.type, outcome.registered) == ("sent", None)
    assert account.lookups() == 0


@pytest.mark.parametrize("to", ["31600900003@example.com", "31600900003@broadcast"])
def test_no_address(listen: Listen, account: Account, to: str) -> None:
    """An address that takes no messages is rejected, without itself in the error."""
    listener = listen()
    listener.connect()
    outcome = listener.outcome(listener.send(to))
    assert outcome.type == "rejected"
    assert outcome.error
    assert _has_no_number(outcome)
    assert account.received() == []


def test_unsendable(listen: Listen, account: Account) -> None:
    """What cannot be composed is rejected, without the chat's number in the error."""
    listener = listen()
    listener.connect()
    reaction: dict[str, object] = {
        "kind": "reaction",
        "emoji": "👍",
        "message": {"message_id": "3EB0"},
    }
    outcome = listener.outcome(listener.send("31600900001-1600000000@g.us", content=reaction))
    assert outcome.type == "rejected"
    assert "needs its sender" in (outcome.error or "")
    assert _has_no_number(outcome)
    assert account.received() == []


def test_refused_upload(listen: Listen, whatsapp: WhatsApp, account: Account) -> None:
    """An upload that is refused counts as a failure before anything has left."""
    whatsapp.refuse_uploads("507 Insufficient Storage")
    listener = listen()
    listener.connect()
    listener.files["a" * 64] = b"What is in the file."
    document: dict[str, object] = {"kind": "document", "media": "a" * 64, "filename": "file.txt"}
    outcome = listener.outcome(listener.send(content=document))
    assert outcome.type == "failed"
    assert "upload failed with status code 507" in (outcome.error or "")
    assert account.received() == []
    whatsapp.refuse_uploads(None)
    assert listener.outcome(listener.send(content=document)).type == "sent"


def test_stalled_check(listen: Listen, account: Account) -> None:
    """A lookup that the connection's end cuts off leaves nothing open: it is not sent."""
    listener = listen()
    listener.connect()
    account.stall()
    attempt = listener.send(check=True)
    account.end_stream("503")
    assert listener.outcome(attempt).type == "not_sent"
    assert listener.end().type == "disconnected"
