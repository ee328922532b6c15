"""What WhatsApp received from an account, and what recipients report on it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.whatsapp.directory import hidden, revealed
from tests.whatsapp.nodes import Jid, Node
from tests.whatsapp.recipients import read
from tests.whatsapp.wire import Fields

_TEXT, _EXTENDED_TEXT = 1, 6
_STRANGER = hidden(Jid("31688888888@s.whatsapp.net"))
"""Reports on messages that were never received."""
_MEMBER = hidden(Jid("31699999999@s.whatsapp.net"))
"""Reports on messages to a group."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that WhatsApp took, to be delivered to its recipient."""

    jid: str
    """The recipient by the phone number, also if that was hidden by another address, or a group."""
    message_id: str
    at: float
    """Seconds, as `time.time` has them."""
    content: bytes
    """What the recipient reads: a `waE2E.Message` as protocol buffers have it, or nothing."""

    @property
    def text(self) -> str:
        """The text, if the message is one."""
        content = Fields.decode(self.content)
        return (content.data(_TEXT) or content.message(_EXTENDED_TEXT).data(1)).decode()


class Ledger:
    """The messages of one account, in the order in which they came; not for many threads."""

    def __init__(self) -> None:
        self._received: dict[str, Received] = {}
        self._addressed: dict[str, Jid] = {}

    def __len__(self) -> int:
        return len(self._received)

    def enter(self, message: Node) -> None:
        """Enter a message; one that comes again under its id is the same."""
        message_id, to = message.get("id"), Jid(message.get("to"))
        if message_id not in self._received:
            taken = Received(revealed(to), message_id, time.time(), read(message))
            self._received[message_id] = taken
            self._addressed[message_id] = to

    def received(self) -> list[Received]:
        """Return the messages."""
        return list(self._received.values())

    def receipt(self, message_id: str, kind: str) -> Node:
        """Return what tells the client that a recipient's device reports on a message."""
        jid = self._addressed.get(message_id, _STRANGER)
        attributes = {"from": jid, "id": message_id, "t": str(int(time.time()))}
        if jid.server == "g.us":
            attributes["participant"] = _MEMBER
        if kind != "delivered":
            attributes["type"] = kind
        return Node("receipt", attributes)
