"""What a message has to do with others: whom it mentions, and which message it is about.

A reference is {"message_id", "sender"?, "from_me"?}. References to own notifications hold ids of
messages by now; one that still names a notification names one that was never sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import ContextInfo, Message

from outbox.session.whatsapp.process import jids
from outbox.session.whatsapp.process.unsendable import Unsendable

if TYPE_CHECKING:
    from collections.abc import Mapping


def context(content: Mapping[str, Any], chat: str, own: str) -> ContextInfo | None:
    """Return the mentions and the quote of a content, or None where it has neither.

    Args:
        content: The body, of any kind.
        chat: Where it is sent to.
        own: The account's JID, without a device.

    Raises:
        Unsendable: It quotes a message that was never sent, or whose sender is not known.
    """
    mentioned = dict.fromkeys(map(jids.person, content.get("mentions", ())))
    quote = content.get("quote")
    if not mentioned and quote is None:
        return None
    info = ContextInfo(mentionedJID=mentioned)
    if quote is not None:
        info.stanzaID = message_id(quote)
        author = _author(quote, chat, own)
        if author is not None:
            info.participant = author
        # The apps show the text that is given here, and jump to the message when it is touched.
        # Only its id is known, so the text is empty.
        info.quotedMessage.CopyFrom(Message(conversation=""))
    return info


def key(reference: Mapping[str, Any], chat: str, own: str) -> MessageKey:
    """Return how WhatsApp names the message that a reference means: as BuildMessageKey does.

    Raises:
        Unsendable: It was never sent, or its sender is not known.
    """
    named = MessageKey(remoteJID=chat, fromMe=is_own(reference, own), ID=message_id(reference))
    if not named.fromMe and not jids.is_person(chat):
        author = _author(reference, chat, own)
        if author is not None:
            named.participant = author
    return named


def message_id(reference: Mapping[str, Any]) -> str:
    """Return WhatsApp's id of a message.

    Raises:
        Unsendable: It is a notification that was never sent.
    """
    if "message_id" not in reference:
        raise Unsendable(f"it refers to notification {reference['notification']}, never sent")
    return str(reference["message_id"])


def is_own(reference: Mapping[str, Any], own: str) -> bool:
    """Return whether the account sent the message: if it says so, or names the account."""
    return bool(reference.get("from_me", False)) or reference.get("sender") == own


def _author(reference: Mapping[str, Any], chat: str, own: str) -> str | None:
    """Return the JID of who wrote it; None in a newsletter, where nobody is named."""
    if is_own(reference, own):
        return own
    if "sender" in reference:
        return str(reference["sender"])
    if jids.is_person(chat):
        return chat
    if jids.server(chat) == jids.NEWSLETTER:
        return None
    raise Unsendable(
        f"message {message_id(reference)} needs its sender or from_me: its chat is no single person"
    )
