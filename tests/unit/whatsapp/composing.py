"""A client that only uploads, and what composes with it."""

import hashlib
from collections.abc import Mapping
from typing import Any

from neonize.proto.Neonize_pb2 import UploadResponse
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message
from neonize.utils.enum import MediaType

from outbox.session.whatsapp.process.messages import MediaBytes, compose

SECRET = bytes(range(32))
OWN = "447700900000@s.whatsapp.net"
PERSON = "447700900123@s.whatsapp.net"
ANOTHER = "447700900456@s.whatsapp.net"
LID = "84019283746501@lid"
GROUP = "120363041234567890@g.us"
NEWSLETTER = "120363041234567891@newsletter"
STATUS = "status@broadcast"


class Uploads:
    """The client as far as composing needs it; it keeps what it was given."""

    def __init__(self) -> None:
        self.given: Any = None
        self.data = b""
        self.type: MediaType | None = None

    def upload(self, data: Any, media_type: MediaType) -> UploadResponse:  # noqa: ANN401
        """Answer as WhatsApp's server does."""
        self.given, self.data, self.type = data, bytes(data), media_type
        return UploadResponse(
            url="https://mmg.whatsapp.net/v/1",
            DirectPath="/v/1",
            MediaKey=b"key",
            FileEncSHA256=b"encrypted",
            FileSHA256=hashlib.sha256(data).digest(),
            FileLength=len(data),
        )


class Composer:
    """Composes contents, and checks what holds for each of them."""

    def __init__(self) -> None:
        self.uploads = Uploads()

    def __call__(
        self,
        content: Mapping[str, Any],
        data: bytes | bytearray | None = None,
        mime: str = "application/octet-stream",
        to: str = PERSON,
    ) -> Message:
        """Return the message, addressed to whom it should be and with its secret."""
        media = [] if data is None else [MediaBytes(mime, data)]
        message, *items = self.all(content, media, to)
        assert not items
        return message

    def all(
        self, content: Mapping[str, Any], media: list[MediaBytes], to: str = PERSON
    ) -> list[Message]:
        """Return the messages, the items of an album behind its own."""
        own = OWN.replace("@", ":5@")
        jid, message, items = compose(self.uploads, to, content, media, SECRET, own)
        assert f"{jid.User}@{jid.Server}" == to
        assert (jid.Device, jid.RawAgent, jid.Integrator) == (0, 0, 0)
        assert message.messageContextInfo.messageSecret == SECRET
        assert not media
        for one in (message, *items):
            assert Message.FromString(one.SerializeToString()) == one
        return [message, *items]


def kind(message: Message) -> str:
    """Return the name of the message's one field beside its secret."""
    names = {str(field.name) for field, _ in message.ListFields()}
    (name,) = names - {"messageContextInfo"}
    return name
