"""The real library uploads media before it sends them."""

import pytest

from tests.whatsapp.account import Account
from tests.whatsapp.child import Child
from tests.whatsapp.server import WhatsApp
from tests.whatsapp.uploads import opened
from tests.whatsapp.wire import Fields

FRIEND = "31600900001@s.whatsapp.net"
_DOCUMENT, _MEDIA_KEY = 7, 7


def test_a_document_is_uploaded_encrypted(
    connected: Child, whatsapp: WhatsApp, account: Account
) -> None:
    """Whoever has the message has the key to what was uploaded."""
    text = "What is in the file. " * 5_000
    connected.call("send_document", FRIEND, text)
    [body], [message] = whatsapp.uploads(), account.received()
    key = Fields.decode(message.content).message(_DOCUMENT).data(_MEDIA_KEY)
    assert opened(body, key, "Document") == text.encode()
    with pytest.raises(ValueError, match="no Image"):
        opened(body, key, "Image")


def test_a_refused_upload_sends_nothing(
    connected: Child, whatsapp: WhatsApp, account: Account
) -> None:
    """The client is told the status."""
    whatsapp.refuse_uploads()
    with pytest.raises(RuntimeError, match="status code 500"):
        connected.call("send_document", FRIEND, "What is in the file.")
    assert whatsapp.uploads() == []
    whatsapp.refuse_uploads(None)
    connected.call("send_document", FRIEND, "What is in the file.")
    assert len(whatsapp.uploads()) == len(account.received()) == 1
