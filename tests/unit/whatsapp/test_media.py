"""Contents with media: what is uploaded as what, and what the message says of it."""

import ctypes
import hashlib
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from neonize.utils.enum import MediaType

from outbox.session.whatsapp.process import ffmpeg
from outbox.session.whatsapp.process.messages import Unsendable
from tests.unit.whatsapp import files
from tests.unit.whatsapp.composing import GROUP, LID, NEWSLETTER, Composer, kind

DIGEST = "0" * 64

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="ffmpeg is not installed, and this is what it does"
)


@pytest.fixture
def no_ffmpeg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A PATH on which nothing is installed."""
    monkeypatch.setenv("PATH", str(tmp_path))


def _content(name: str, **more: object) -> dict[str, Any]:
    return {"kind": name, "media": DIGEST, **more}


def _made(arguments: str) -> bytes:
    """Return what ffmpeg makes of its test signals."""
    command = ("ffmpeg", "-nostdin", "-v", "error", *arguments.split(), "pipe:1")
    return subprocess.run(command, check=True, capture_output=True).stdout


def test_upload_is_described(composed: Composer) -> None:
    """The message says what the server and the encryption gave, and since when the key is used."""
    data = files.picture()
    before = int(time.time())
    image = composed(_content("image"), data, "image/png").imageMessage
    assert composed.uploads.data == data
    assert (image.URL, image.directPath) == ("https://mmg.whatsapp.net/v/1", "/v/1")
    assert (image.mediaKey, image.fileEncSHA256) == (b"key", b"encrypted")
    assert image.fileSHA256 == hashlib.sha256(data).digest()
    assert image.fileLength == len(data)
    assert before <= image.mediaKeyTimestamp <= time.time()


def test_bytearray_is_uploaded_without_a_copy(composed: Composer) -> None:
    """What the parent sent stays the one copy, in the form in which ctypes takes it."""
    data = bytearray(b"%PDF-1.7")
    composed(_content("document", filename="a.pdf"), data, "application/pdf")
    given = composed.uploads.given
    assert ctypes.c_char_p.from_param(given) is not None
    assert ctypes.addressof(given) == ctypes.addressof(ctypes.c_char.from_buffer(data))


@pytest.mark.parametrize(
    ("name", "data", "type_"),
    [
        ("image", files.picture(), MediaType.MediaImage),
        ("video", b"film", MediaType.MediaVideo),
        ("audio", b"sound", MediaType.MediaAudio),
        ("voice", files.OPUS, MediaType.MediaAudio),
        ("document", b"text", MediaType.MediaDocument),
        ("sticker", files.picture(), MediaType.MediaImage),
    ],
)
@pytest.mark.usefixtures("no_ffmpeg")
def test_kinds_have_their_types(
    composed: Composer, name: str, data: bytes, type_: MediaType
) -> None:
    """The type decides on the key, so the apps can only decrypt what was uploaded as theirs."""
    quote = {"message_id": "3EB0A1"}
    message = composed(_content(name, filename="a", quote=quote), data)
    assert composed.uploads.type is type_
    field = {"voice": "audio"}.get(name, name) + "Message"
    assert kind(message) == field
    assert getattr(message, field).contextInfo.stanzaID == "3EB0A1"


@pytest.mark.parametrize("name", ["image", "video", "audio", "voice", "document", "sticker"])
def test_no_media_in_newsletters(composed: Composer, name: str) -> None:
    """They would need a handle, which neonize cannot pass on: nothing is uploaded in vain."""
    with pytest.raises(Unsendable, match="newsletter"):
        composed(_content(name, filename="a"), files.picture(), to=NEWSLETTER)
    assert composed.uploads.type is None


def test_media_have_to_be_there(composed: Composer) -> None:
    """A content without its media is the parent's mistake, not the content's."""
    with pytest.raises(ValueError, match="no media"):
        composed(_content("image"))


def test_captions_mention(composed: Composer) -> None:
    """A caption mentions people as a text does."""
    content = _content("image", caption="for @1", mentions=[LID])
    image = composed(content, files.picture(), to=GROUP).imageMessage
    assert image.caption == "for @1"
    assert list(image.contextInfo.mentionedJID) == [LID]


def test_audio_goes_as_it_is(composed: Composer) -> None:
    """A sound file is not converted; it says how long it lasts."""
    data = files.sound(2.6)
    audio = composed(_content("audio"), data, "audio/wav").audioMessage
    assert composed.uploads.data == data
    assert (audio.mimetype, audio.seconds) == ("audio/wav", 3)
    assert not audio.PTT


@pytest.mark.parametrize("data", [b"ID3 broken", b"", files.sound(0), files.OPUS])
def test_unknown_duration_is_left_out(composed: Composer, data: bytes) -> None:
    """Whether a sound can be played is for the apps to find out."""
    assert not composed(_content("audio"), data, "audio/mpeg").audioMessage.HasField("seconds")


@pytest.mark.usefixtures("no_ffmpeg")
def test_voice_of_opus_goes_as_it_is(composed: Composer) -> None:
    """A voice message that is one needs no ffmpeg, whatever its type was said to be."""
    voice = composed(_content("voice"), files.OPUS, "audio/opus").audioMessage
    assert composed.uploads.data == files.OPUS
    assert voice.PTT
    assert voice.mimetype == "audio/ogg; codecs=opus"


@pytest.mark.parametrize(
    ("data", "mime"), [(files.sound(1), "audio/wav"), (files.VORBIS, "audio/ogg")]
)
@pytest.mark.usefixtures("no_ffmpeg")
def test_voice_cannot_be_converted_without_ffmpeg(
    composed: Composer, data: bytes, mime: str
) -> None:
    """Phones play no other format as a voice message, so it is said what is missing."""
    missing = f"a voice message of type {mime} has to be converted, and ffmpeg is not installed"
    with pytest.raises(Unsendable, match=missing):
        composed(_content("voice"), data, mime)


@needs_ffmpeg
@pytest.mark.parametrize("data", [files.sound(2), bytearray(files.sound(2))])
def test_voice_is_converted(composed: Composer, data: bytes | bytearray) -> None:
    """Any sound becomes Opus in Ogg."""
    voice = composed(_content("voice"), data, "audio/wav").audioMessage
    assert composed.uploads.data[28:36] == b"OpusHead"
    assert (voice.mimetype, voice.seconds, voice.PTT) == ("audio/ogg; codecs=opus", 2, True)
    assert voice.fileLength == len(composed.uploads.data)


@needs_ffmpeg
@pytest.mark.parametrize("data", [b"no sound", files.VORBIS])
def test_voice_that_is_no_sound(composed: Composer, data: bytes) -> None:
    """What ffmpeg cannot read never becomes a voice message."""
    with pytest.raises(Unsendable, match="ffmpeg finds no sound in it"):
        composed(_content("voice"), data, "audio/mpeg")


@needs_ffmpeg
def test_playlists_are_no_media(composed: Composer, tmp_path: Path) -> None:
    """A file cannot make ffmpeg read another one of the machine."""
    secret = tmp_path / "secret.wav"
    secret.write_bytes(files.sound(1))
    for playlist in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{secret}'\n",
    ):
        with pytest.raises(Unsendable, match="ffmpeg finds no sound in it"):
            composed(_content("voice"), playlist.encode(), "audio/mpeg")


def _install(folder: Path, script: str) -> None:
    program = folder / "ffmpeg"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)


def test_slow_conversion_is_no_fault_of_the_voice(
    composed: Composer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another attempt may find the machine less busy."""
    _install(tmp_path, "exec /bin/sleep 10")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(ffmpeg, "_PATIENCE", 0.2)
    with pytest.raises(TimeoutError, match="ffmpeg took more than"):
        composed(_content("voice"), files.sound(1), "audio/wav")


def test_killed_conversion_is_no_fault_of_the_voice(
    composed: Composer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was the machine that had too little memory."""
    _install(tmp_path, "kill -9 $$")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OSError, match="killed by signal 9"):
        composed(_content("voice"), files.sound(1), "audio/wav")


def test_endless_voice_is_refused(
    composed: Composer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conversion ends where a voice message would be too long, and is not sent cut off."""
    _install(tmp_path, "/usr/bin/head -c 16777217 /dev/zero")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsendable, match="lasts too long"):
        composed(_content("voice"), files.sound(1), "audio/wav")


def test_document_has_its_name(composed: Composer) -> None:
    """A file keeps its name and its type."""
    content = _content("document", filename="Rechnung März.pdf", caption="")
    document = composed(content, b"%PDF", "application/pdf").documentMessage
    assert document.fileName == document.title == "Rechnung März.pdf"
    assert document.mimetype == "application/pdf"


def test_document_with_caption_is_wrapped(composed: Composer) -> None:
    """The apps show a caption only of a document in this envelope."""
    content = _content("document", filename="a.pdf", caption="for @1", mentions=[LID])
    message = composed(content, b"%PDF", "application/pdf", to=GROUP)
    assert kind(message) == "documentWithCaptionMessage"
    document = message.documentWithCaptionMessage.message.documentMessage
    assert document.caption == "for @1"
    assert list(document.contextInfo.mentionedJID) == [LID]


@pytest.mark.usefixtures("no_ffmpeg")
def test_film_goes_as_it_is_without_ffmpeg(composed: Composer) -> None:
    """A film without a thumbnail is a film."""
    video = composed(_content("video", caption="a film"), b"film", "video/mp4").videoMessage
    assert composed.uploads.data == b"film"
    assert (video.mimetype, video.caption) == ("video/mp4", "a film")
    assert not video.HasField("JPEGThumbnail")
    assert not video.HasField("width")


@pytest.mark.parametrize("script", ["exit 1", "kill -9 $$", "echo no picture"])
def test_film_goes_without_thumbnail_if_ffmpeg_fails(
    composed: Composer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    """A thumbnail is no reason not to send."""
    _install(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    video = composed(_content("video"), b"film", "video/mp4").videoMessage
    assert not video.HasField("JPEGThumbnail")


@needs_ffmpeg
def test_film_has_size_duration_and_thumbnail(composed: Composer) -> None:
    """All of them, also for an MP4 that cannot be read as a stream."""
    source = "-f lavfi -i testsrc=duration=3:size=640x360"
    film = _made(f"{source} -c:v mpeg4 -movflags frag_keyframe+empty_moov -f mp4")
    video = composed(_content("video"), film, "video/mp4").videoMessage
    assert composed.uploads.data == film
    assert (video.width, video.height) == (640, 360)
    assert files.opened(video.JPEGThumbnail).size == (100, 56)
