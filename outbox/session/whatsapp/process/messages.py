"""From a content to WhatsApp's message.

Every message gets the secret of its attempt. whatsmeow stores it with the message's id before the
message leaves, and by it the trace of an attempt is found.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    ContactMessage,
    ExtendedTextMessage,
    FutureProofMessage,
    LocationMessage,
    Message,
    PollCreationMessage,
    ProtocolMessage,
    ReactionMessage,
)

from outbox.session.whatsapp.process import jids
from outbox.session.whatsapp.process.context import context, is_own, key
from outbox.session.whatsapp.process.media import MAKERS, MediaBytes
from outbox.session.whatsapp.process.preview import preview
from outbox.session.whatsapp.process.unsendable import Unsendable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from neonize.client import NewClient
    from neonize.proto.Neonize_pb2 import JID

__all__ = ["MediaBytes", "Unsendable", "compose"]

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")


def compose(
    client: NewClient,
    jid: str,
    content: Mapping[str, Any],
    media: MediaBytes | None,
    secret: bytes,
    own_jid: str,
) -> tuple[JID, Message]:
    """Return where a content goes, and the complete message, whose media are uploaded by now.

    Args:
        client: A connected client, of which only `upload` is used, and only for media.
        jid: The recipient: a person, a group, a newsletter or status@broadcast.
        content: The body; references to own notifications are message ids already.
        media: What the body's digest stands for, if it has one.
        secret: The attempt's 32 bytes.
        own_jid: The account's, with or without its device.

    Raises:
        Unsendable: It can never be sent; the message says why.
        TimeoutError: A conversion took too long; another attempt may be luckier.
        neonize.exc.UploadError: The media could not be uploaded.
    """
    kind = content["kind"]
    to = _Destination(jid, jids.without_device(own_jid))
    if kind in MAKERS:
        message = _with_media(client, to, content, media)
    else:
        message = _MAKERS[kind](content, to)
    message.messageContextInfo.messageSecret = secret
    return jids.parsed(jid), message


class _Destination(NamedTuple):
    chat: str
    own: str
    """The account's JID, without its device."""

    @property
    def server(self) -> str:
        return jids.server(self.chat)


def _with_media(
    client: NewClient, to: _Destination, content: Mapping[str, Any], media: MediaBytes | None
) -> Message:
    if media is None:
        raise ValueError(f"there are no media for the kind {content['kind']}")
    if to.server == jids.NEWSLETTER:
        # WhatsApp wants them unencrypted and their handle beside the message (whatsmeow's
        # SendRequestExtra.MediaHandle), which neonize's send_message has no room for.
        raise Unsendable("neonize cannot send media to a newsletter")
    info = context(content, *to)
    return MAKERS[content["kind"]](client, content, media, info)


def _text(content: Mapping[str, Any], to: _Destination) -> Message:
    """Return a text: a bare one is a conversation, unless it is a status."""
    text = content["text"]
    info = context(content, *to)
    found = preview(text) if content.get("link_preview") else None
    if info is None and found is None and to.server != jids.BROADCAST:
        return Message(conversation=text)
    extended = ExtendedTextMessage(text=text, contextInfo=info)
    if found is not None:
        extended.matchedText = found.link
        extended.title = found.title
        extended.description = found.description
        extended.previewType = ExtendedTextMessage.NONE
        if found.thumbnail is not None:
            extended.JPEGThumbnail = found.thumbnail
    return Message(extendedTextMessage=extended)


def _location(content: Mapping[str, Any], to: _Destination) -> Message:
    return Message(
        locationMessage=LocationMessage(
            degreesLatitude=content["latitude"],
            degreesLongitude=content["longitude"],
            name=content.get("name"),
            address=content.get("address"),
            contextInfo=context(content, *to),
        )
    )


def _contact(content: Mapping[str, Any], to: _Destination) -> Message:
    """Return a card: its `waid` is what makes the apps offer to write to the number."""
    name = _CONTROLS.sub(" ", content["name"])
    digits = jids.person(content["number"]).partition("@")[0]
    escaped = re.sub(r"([\\,;])", r"\\\1", name)
    lines = (
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"N:;{escaped};;;",
        f"FN:{escaped}",
        f"TEL;type=CELL;waid={digits}:+{digits}",
        "END:VCARD",
    )
    return Message(
        contactMessage=ContactMessage(
            displayName=name, vcard="\n".join(lines), contextInfo=context(content, *to)
        )
    )


def _poll(content: Mapping[str, Any], to: _Destination) -> Message:
    """Return a poll as BuildPollCreation does. By the secret its votes are decrypted, too."""
    return Message(
        pollCreationMessage=PollCreationMessage(
            name=content["question"],
            options=[PollCreationMessage.Option(optionName=name) for name in content["options"]],
            selectableOptionsCount=content.get("selectable", 1),
            contextInfo=context(content, *to),
        )
    )


def _reaction(content: Mapping[str, Any], to: _Destination) -> Message:
    """Return a reaction as BuildReaction does; an empty text takes it back."""
    if to.server == jids.NEWSLETTER:
        # There it is no message (whatsmeow's NewsletterSendReaction), and has no trace.
        raise Unsendable("a reaction in a newsletter cannot be sent as a message")
    return Message(
        reactionMessage=ReactionMessage(
            key=key(content["message"], *to),
            text=content["emoji"],
            senderTimestampMS=_now(),
        )
    )


def _edit(content: Mapping[str, Any], to: _Destination) -> Message:
    """Return a new text for an own message, as BuildEdit does.

    Only own messages can be edited, so a reference that does not say whose it is means an own one.
    """
    reference = {"from_me": True} | content["message"]
    if not is_own(reference, to.own) or reference.get("sender", to.own) != to.own:
        raise Unsendable("WhatsApp lets nobody edit a message of somebody else")
    return Message(
        editedMessage=FutureProofMessage(
            message=Message(
                protocolMessage=ProtocolMessage(
                    key=key(reference, *to),
                    type=ProtocolMessage.MESSAGE_EDIT,
                    editedMessage=_text(content, to),
                    timestampMS=_now(),
                )
            )
        )
    )


def _revoke(content: Mapping[str, Any], to: _Destination) -> Message:
    """Return the deletion of a message, as BuildRevoke does: an admin's of anybody's in a group."""
    named = key(content["message"], *to)
    if not named.fromMe and to.server != jids.GROUP:
        raise Unsendable(
            "WhatsApp lets nobody delete a message of somebody else outside of groups; "
            "an own one needs from_me"
        )
    return Message(protocolMessage=ProtocolMessage(key=named, type=ProtocolMessage.REVOKE))


def _now() -> int:
    return time.time_ns() // 1_000_000


_Maker: TypeAlias = "Callable[[Mapping[str, Any], _Destination], Message]"
_MAKERS: Final[Mapping[str, _Maker]] = {
    "text": _text,
    "location": _location,
    "contact": _contact,
    "poll": _poll,
    "reaction": _reaction,
    "edit": _edit,
    "revoke": _revoke,
}
