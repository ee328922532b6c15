"""Albums: a message that announces the items, and one for each of them."""

import hashlib
from typing import Any

import pytest
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import MessageAssociation
from neonize.utils.enum import MediaType

from outbox.session.whatsapp.process.messages import MediaBytes, Unsendable, of_album
from tests.unit.whatsapp import files
from tests.unit.whatsapp.composing import LID, NEWSLETTER, PERSON, SECRET, Composer, kind

DIGEST = "0" * 64

pytestmark = pytest.mark.usefixtures("no_ffmpeg")


@pytest.fixture
def no_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    """No program is found."""
    monkeypatch.setenv("PATH", "/nowhere")


def _album(*captions: str | None, **more: object) -> dict[str, Any]:
    items = [
        {"media": DIGEST} | ({} if caption is None else {"caption": caption})
        for caption in captions
    ]
    return {"kind": "album", "items": items, **more}


def _media() -> list[MediaBytes]:
    return [
        MediaBytes("image/png", files.picture()),
        MediaBytes("Video/mp4", bytearray(b"film")),
        MediaBytes("image/webp", files.picture("WEBP")),
    ]


def test_is_announced_and_followed_by_its_items(composed: Composer) -> None:
    """In order, each as what it is and with its caption; a picture becomes one that is shown."""
    first, *items = composed.all(_album("Front", None, "Garden"), _media())
    assert kind(first) == "albumMessage"
    assert first.albumMessage.expectedImageCount == 2
    assert first.albumMessage.expectedVideoCount == 1
    assert not first.albumMessage.HasField("contextInfo")
    assert [kind(item) for item in items] == ["imageMessage", "videoMessage", "imageMessage"]
    assert [item.imageMessage.caption for item in items] == ["Front", "", "Garden"]
    assert items[2].imageMessage.mimetype == "image/jpeg"
    assert composed.uploads.type == MediaType.MediaImage


def test_each_item_has_a_secret_of_its_own(composed: Composer) -> None:
    """The trace of the attempt is the first message's alone."""
    first, *items = composed.all(_album(None, None, None), _media())
    secrets = [item.messageContextInfo.messageSecret for item in items]
    assert secrets == [hashlib.sha256(SECRET + bytes([number])).digest() for number in (1, 2, 3)]
    assert first.messageContextInfo.messageSecret == SECRET


def test_items_name_it_once_it_has_an_id(composed: Composer) -> None:
    """As neonize's send_album does; the secret stays."""
    _, item, *_ = composed.all(_album(None, None, None), _media())
    named = of_album(item, PERSON, "3EB0A1").messageContextInfo
    assert named.messageAssociation.associationType == MessageAssociation.MEDIA_ALBUM
    parent = named.messageAssociation.parentMessageKey
    assert (parent.remoteJID, parent.fromMe, parent.ID) == (PERSON, True, "3EB0A1")
    assert len(named.messageSecret) == 32


def test_quotes_and_mentions(composed: Composer) -> None:
    """All of it quotes; only captions mention, and the announcement."""
    more = {"quote": {"message_id": "3EB0A1"}, "mentions": [LID]}
    first, *items = composed.all(_album("@84019283746501", None, None, **more), _media())
    infos = [first.albumMessage.contextInfo]
    infos += [getattr(item, kind(item)).contextInfo for item in items]
    assert [info.stanzaID for info in infos] == ["3EB0A1"] * 4
    assert [list(info.mentionedJID) for info in infos] == [[LID], [LID], [], []]


def test_never_sent(composed: Composer) -> None:
    """One item that can never be sent keeps all of it back."""
    broken = [*_media()[:2], MediaBytes("image/png", files.BROKEN)]
    with pytest.raises(Unsendable, match="no picture that can be read"):
        composed.all(_album(None, None, None), broken)
    with pytest.raises(Unsendable, match="newsletter"):
        composed.all(_album(None, None, None), _media(), NEWSLETTER)
    with pytest.raises(ValueError, match="no media"):
        composed.all(_album(None, None, None, None), _media())
