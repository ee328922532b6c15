"""What the session process tells of neonize's messages: a word and who wrote it, or nothing."""

from typing import Any

import pytest
from neonize.proto import Neonize_pb2
from neonize.utils.jid import build_jid

from outbox.session.consent import Words
from outbox.session.whatsapp.process.serving import _tell_consent

NUMBER, LID, GROUP = ("447700900123", "s.whatsapp.net"), ("8447700", "lid"), ("1203630", "g.us")


class _Channel:
    """What the process would have told its worker."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def tell(self, said: dict[str, Any]) -> None:
        """Keep it."""
        self.said.append(said)


def _message(
    sender: tuple[str, str] = NUMBER, chat: tuple[str, str] | None = None, **source: object
) -> Any:  # noqa: ANN401  # a protobuf message
    message = Neonize_pb2.Message()
    message.Info.MessageSource.Chat.CopyFrom(build_jid(*(chat or sender)))
    message.Info.MessageSource.Sender.CopyFrom(build_jid(*sender))
    message.Info.MessageSource.IsFromMe = bool(source.get("own"))
    message.Info.MessageSource.IsGroup = bool(source.get("group"))
    return message


def _told(message: object) -> list[dict[str, Any]]:
    channel = _Channel()
    _tell_consent(channel, Words(), message)  # type: ignore[arg-type]  # it tells, too
    return channel.said


def test_a_text_of_either_kind_is_told() -> None:
    """The plain one, and the one that WhatsApp writes for a reply; of both only word and person."""
    plain, extended = _message(), _message()
    plain.Message.conversation = "stop"
    extended.Message.extendedTextMessage.text = "Start!"
    said = {"type": "consent", "jid": "447700900123@s.whatsapp.net"}
    assert _told(plain) == [said | {"word": "STOP", "opts_out": True}]
    assert _told(extended) == [said | {"word": "START", "opts_out": False}]


def test_a_lid_is_told_by_its_number() -> None:
    """If WhatsApp gives that along, and else as it is."""
    message = _message(LID)
    message.Message.conversation = "STOP"
    assert _told(message)[0]["jid"] == "8447700@lid"
    message.Info.MessageSource.SenderAlt.CopyFrom(build_jid(*NUMBER))
    assert _told(message)[0]["jid"] == "447700900123@s.whatsapp.net"


@pytest.mark.parametrize(
    "message",
    [
        _message(own=True),
        _message(chat=GROUP, group=True),
        _message(chat=("status", "broadcast")),
        _message(chat=("1203630", "newsletter")),
    ],
    ids=["own", "group", "broadcast", "newsletter"],
)
def test_other_chats_are_not_heard(message: Any) -> None:  # noqa: ANN401  # a protobuf message
    """Only what somebody else writes to the account alone counts."""
    message.Message.conversation = "STOP"
    assert _told(message) == []


def test_captions_and_edits_are_not_heard() -> None:
    """A message counts that is a text."""
    caption, edit = _message(), _message()
    caption.Message.imageMessage.caption = "STOP"
    edit.Message.protocolMessage.editedMessage.conversation = "STOP"
    assert _told(caption) == _told(edit) == []
