"""The real library is linked to an account by what it shows to the phone."""

import pytest

from tests.whatsapp.account import Account
from tests.whatsapp.conftest import StartClient
from tests.whatsapp.server import WhatsApp

FRIEND = "31600900001@s.whatsapp.net"


def test_a_scanned_qr_code_links_the_client(
    whatsapp: WhatsApp, start_client: StartClient, jid: str, account: Account
) -> None:
    """The client logs in at once as the device that the phone has linked."""
    client = start_client(None)
    whatsapp.phone.scan(client.wait("qr"), jid)
    assert client.wait("PairStatus")["Status"] == "SUCCESS"
    client.wait("Connected")
    assert client.call("me") == jid
    client.call("send", FRIEND, "Hello")
    assert len(account.received()) == 1


def test_a_typed_code_links_the_client(
    whatsapp: WhatsApp, start_client: StartClient, jid: str, account: Account
) -> None:
    """The client shows eight characters, and logs in when they are typed into the phone."""
    client = start_client(None)
    client.wait("qr")
    code = client.call("pairing_code", account.number)
    assert len(code) == len("XXXX-XXXX")
    whatsapp.phone.enter(code, jid)
    client.wait("Connected")
    assert client.call("me") == jid


def test_a_phone_that_does_not_know_the_secret_links_nothing(
    whatsapp: WhatsApp, start_client: StartClient, jid: str
) -> None:
    """The client verifies what the phone says of it."""
    client = start_client(None)
    start, noise_key, identity, _secret, *rest = client.wait("qr").split(",")
    forged = ",".join([start, noise_key, identity, identity, *rest])
    with pytest.raises(RuntimeError, match="hmac-mismatch"):
        whatsapp.phone.scan(forged, jid)
