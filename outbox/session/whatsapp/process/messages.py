"""From a content to WhatsApp's message.

Every message gets the secret of its attempt. whatsmeow stores it with the message's id before the
message leaves, and by it the trace of an attempt is found.

An album is a message that says how many are to come, and then one for each of its items that names
it. The first has the attempt's secret, since nothing of the attempt leaves before it.
"""

from __future__ import annotations

import hashlib
import re
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    AlbumMessage,
    ContactMessage,
    ExtendedTextMessage,
    FutureProofMessage,
    LocationMessage,
    Message,
    MessageAssociation,
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
    from collections.abc import Callable, Mapping, Sequence

    from neonize.client import NewClient
    from neonize.proto.Neonize_pb2 import JID

__all__ = ["Composed", "MediaBytes", "Unsendable", "compose", "of_album"]

ALBUM: Final = "album"
"""The one kind that is several messages."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")


class Composed(NamedTuple):
    """What is sent of a content, in this order; its media are uploaded by now."""

    to: JID
    message: Message
    """With the attempt's secret."""
    items: Sequence[Message] = ()
    """What follows an album's message, by whose id each has yet to name it: see `of_album`."""


def compose(
    client: NewClient,
    jid: str,
    content: Mapping[str, Any],
    media: list[MediaBytes],
    secret: bytes,
    own_jid: str,
) -> Composed:
    """Return what is sent of a content, and where it goes.

    Args:
        client: A connected client, of which only `upload` is used, and only for media.
        jid: The recipient: a person, a group, a newsletter or status@broadcast.
        content: The body; references to own notifications are message ids already.
        media: What the body's digests stand for, in their order. They are taken out, so that those
            of an album that are uploaded are held no longer.
        secret: The attempt's 32 bytes.
        own_jid: The account's, with or without its device.

    Raises:
        Unsendable: It can never be sent; the message says why.
        TimeoutError: A conversion took too long; another attempt may be luckier.
        neonize.exc.UploadError: The media could not be uploaded.
    """
    kind = content["kind"]
    to = _Destination(jid, jids.without_device(own_jid))
    items: list[Message] = []
    if kind == ALBUM:
        message, items = _album(client, to, content, media)
    elif kind in MAKERS:
        message = _with_media(client, to, kind, content, media)
    else:
        message = _MAKERS[kind](content, to)
    message.messageContextInfo.messageSecret = secret
    for number, item in enumerate(items, 1):
        item.messageContextInfo.messageSecret = hashlib.sha256(secret + bytes([number])).digest()
    return Composed(jids.parsed(jid), message, items)


def of_album(item: Message, chat: str, message_id: str) -> Message:
    """Return an album's item, now that the album's message has been sent under this id."""
    item.messageContextInfo.messageAssociation.CopyFrom(
        MessageAssociation(
            associationType=MessageAssociation.MEDIA_ALBUM,
            parentMessageKey=MessageKey(remoteJID=chat, fromMe=True, ID=message_id),
        )
    )
    return item


class _Destination(NamedTuple):
    chat: str
    own: str
    """The account's JID, without its device."""

    @property
    def server(self) -> str:
        return jids.server(self.chat)


def _album(
    client: NewClient, to: _Destination, content: Mapping[str, Any], media: list[MediaBytes]
) -> tuple[Message, list[Message]]:
    """Return an album's message and its items, as neonize's send_album does.

    Mentions go with the captions, so that nobody is told of a picture that does not name them.
    """
    items: list[Message] = []
    quote = {name: content[name] for name in ("quote",) if name in content}
    mentions = {name: content[name] for name in ("mentions",) if name in content}
    for item in content["items"]:
        kind = "video" if media and media[0].mime.lower().startswith("video/") else "image"
        said = item | quote | (mentions if item.get("caption") else {})
        items.append(_with_media(client, to, kind, said, media))
    films = sum(item.HasField("videoMessage") for item in items)
    message = Message(
        albumMessage=AlbumMessage(
            expectedImageCount=len(items) - films,
            expectedVideoCount=films,
            contextInfo=context(content, *to),
        )
    )
    return message, items


def _with_media(
    client: NewClient,
    to: _Destination,
    kind: str,
    content: Mapping[str, Any],
    media: list[MediaBytes],
) -> Message:
    if not media:
        raise ValueError(f"there are no media for the kind {kind}")
    if to.server == jids.NEWSLETTER:
        # WhatsApp wants them unencrypted and their handle beside the message (whatsmeow's
        # SendRequestExtra.MediaHandle), which neonize's send_message has no room for.
        raise Unsendable("neonize cannot send media to a newsletter")
    info = context(content, *to)
    return MAKERS[kind](client, content, media.pop(0), info)


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
