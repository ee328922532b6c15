"""Receipts of every type that WhatsApp has: told, passed over, or the end of the connection."""

import pytest

from outbox.session.port import Receipt
from tests.whatsapp.account import Account
from tests.whatsapp.conftest import Listen

PASSED_OVER = (
    *("sender", "retry", "read-self", "played-self"),
    *("inactive", "peer_msg", "hist_sync"),
)
DEAFENING = ("server-error", "unheard-of")
"""neonize cannot pack them (`required field neonize.Receipt.Type not set`), and goes deaf."""


@pytest.mark.parametrize("kind", PASSED_OVER)
def test_passed_over(listen: Listen, account: Account, kind: str) -> None:
    """What is no news of a recipient is not told, and what comes after it is."""
    listener = listen()
    listener.connect()
    message_id = listener.outcome(listener.send()).message_id
    assert message_id is not None
    account.receipt(message_id, kind)
    account.receipt(message_id, "read")
    assert listener.receipts(1) == [Receipt(message_id, "read")]
    assert [one.type for one in listener.transitions()] == ["connected"]


@pytest.mark.parametrize("kind", DEAFENING)
def test_deafening(listen: Listen, account: Account, kind: str) -> None:
    """What would leave a connection that looks alive and hears nothing ends it."""
    listener = listen()
    listener.connect()
    message_id = listener.outcome(listener.send()).message_id
    assert message_id is not None
    account.receipt(message_id, kind)
    assert "Receipt.Type" in listener.end().reason
