"""What the real library sends is received, acknowledged, refused and reported on."""

from collections.abc import Callable

import pytest

from tests.whatsapp.account import Account
from tests.whatsapp.child import Child

FRIEND = "31600900001@s.whatsapp.net"
STRANGER = "31600900002@s.whatsapp.net"
GROUP = "120363000000000001@g.us"
CHANNEL = "120363000000000002@newsletter"


def _received(account: Account) -> list[tuple[str, str]]:
    return [(message.jid, message.message_id) for message in account.received()]


@pytest.mark.parametrize("recipient", [FRIEND, GROUP, CHANNEL])
def test_a_message_is_received_and_acknowledged(
    connected: Child, account: Account, recipient: str
) -> None:
    """The client is told that its message was taken, to whomever it goes, who can read it."""
    texts = ["Hello", "How are you?", "Bye"]
    ids = [connected.call("send", recipient, text) for text in texts]
    assert _received(account) == [(recipient, message_id) for message_id in ids]
    assert [message.text for message in account.received()] == texts


def test_a_long_message_is_received(connected: Child, account: Account) -> None:
    """One whose sizes take more bytes to write."""
    text = "Hello! " * 10_000
    connected.call("send", FRIEND, text)
    assert [message.text for message in account.received()] == [text]


@pytest.mark.parametrize("code", [429, 463, 479])
def test_a_refused_message_is_not_received(connected: Child, account: Account, code: int) -> None:
    """The client is told the code; other recipients are not refused."""
    account.refuse(FRIEND, code)
    with pytest.raises(RuntimeError, match=f"server returned error {code}"):
        connected.call("send", FRIEND, "Hello")
    message_id = connected.call("send", STRANGER, "Hello")
    assert _received(account) == [(STRANGER, message_id)]


def test_all_messages_can_be_refused(connected: Child, account: Account) -> None:
    """Until that is lifted."""
    account.refuse_all(429)
    with pytest.raises(RuntimeError, match="server returned error 429"):
        connected.call("send", FRIEND, "Hello")
    account.lift()
    connected.call("send", FRIEND, "Hello")
    assert len(account.received()) == 1


@pytest.mark.parametrize("fault", [Account.drop_before_frame, Account.drop_before_acknowledgement])
def test_a_message_that_a_drop_cut_off_comes_again(
    connected: Child, account: Account, fault: Callable[[Account, int], None]
) -> None:
    """The library reconnects and sends it under the same id, so that it is received once."""
    fault(account, 2)
    ids = [connected.call("send", FRIEND, text) for text in ("One", "Two")]
    assert _received(account) == [(FRIEND, message_id) for message_id in ids]
    assert account.logins() == 2


def test_a_dropped_message_is_not_received(connected: Child, account: Account) -> None:
    """What the connection was dropped before is received only if it comes again."""
    account.drop_before_frame()
    account.refuse_all(429)
    with pytest.raises(RuntimeError):
        connected.call("send", FRIEND, "Hello")
    assert account.received() == []


def test_a_silent_server_receives_without_answering(connected: Child, account: Account) -> None:
    """The client waits; it is answered when it asks again over another connection."""
    account.silence()
    sending = connected.begin("send", FRIEND, "Hello")
    account.wait_received(1)
    with pytest.raises(TimeoutError):
        connected.answer(sending, patience=0.3)
    account.answer()
    account.drop()
    assert _received(account) == [(FRIEND, connected.answer(sending))]


def test_receipts_reach_the_client(connected: Child, account: Account) -> None:
    """What the recipient's device reports comes as an event that names the message."""
    message_id = connected.call("send", FRIEND, "Hello")
    for kind in ("delivered", "read", "played"):
        account.receipt(message_id, kind)
    for nth, kind in enumerate(("DELIVERED", "READ", "PLAYED"), start=1):
        receipt = connected.wait("Receipt", nth)
        assert receipt["MessageIDs"] == [message_id]
        assert receipt["Type"] == kind


def test_a_receipt_for_a_client_that_is_away_waits(connected: Child, account: Account) -> None:
    """It comes with the next login."""
    message_id = connected.call("send", FRIEND, "Hello")
    account.offline()
    connected.wait("Disconnected")
    account.receipt(message_id, "read")
    account.lift()
    assert connected.wait("Receipt")["MessageIDs"] == [message_id]


def test_messages_can_be_delivered_by_themselves(connected: Child, account: Account) -> None:
    """A recipient's device reports each so many seconds after it was acknowledged."""
    account.deliver_within = 0.0
    message_id = connected.call("send", FRIEND, "Hello")
    assert connected.wait("Receipt")["MessageIDs"] == [message_id]


def test_a_receipt_of_an_unknown_kind_ends_the_events(connected: Child, account: Account) -> None:
    """The library cannot name it, stops telling anything, and stays connected."""
    message_id = connected.call("send", FRIEND, "Hello")
    account.receipt(message_id, "server-error")
    assert "required field" in connected.wait("ended")
    account.receipt(message_id, "read")
    assert connected.call("send", FRIEND, "Still there")
    assert connected.call("is_connected")
    assert not connected.heard("Receipt")


def test_numbers_are_looked_up(connected: Child, account: Account) -> None:
    """A number that is not on WhatsApp is said not to be, and cannot be written to."""
    account.unregister("31600900007")
    found = connected.call("is_on_whatsapp", "31600900001", "31600900007")
    assert found == {"31600900001": True, "31600900007": False}
    assert account.lookups() == 2
    with pytest.raises(RuntimeError, match="no LID found"):
        connected.call("send", "31600900007@s.whatsapp.net", "Hello")


def test_a_client_that_hangs_up_gives_up_what_it_sends(connected: Child, account: Account) -> None:
    """At once, and without sending it again."""
    account.silence()
    sending = connected.begin("send", FRIEND, "Hello")
    account.wait_received(1)
    connected.call("disconnect")
    with pytest.raises(RuntimeError, match="websocket disconnected before message send"):
        connected.answer(sending)
    assert account.logins() == 1
