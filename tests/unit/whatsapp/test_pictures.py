"""Pictures and stickers: what Pillow makes of files, and which it does not touch."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from outbox.session.whatsapp.process import pictures
from outbox.session.whatsapp.process.messages import Unsendable
from tests.unit.whatsapp import files
from tests.unit.whatsapp.composing import Composer

IMAGE = {"kind": "image", "media": "0" * 64}
STICKER = {"kind": "sticker", "media": "0" * 64}
TURNED = Image.Exif()
TURNED[0x0112] = 6


@pytest.mark.parametrize(("name", "mime"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
@pytest.mark.parametrize("said", ["image/jpeg", "image/png", "image/x-unknown"])
def test_picture_goes_as_it_is(composed: Composer, name: str, mime: str, said: str) -> None:
    """What all apps show is not touched, and its type is what it is, not what it was said to be."""
    data = files.picture(name)
    image = composed(IMAGE, data, said).imageMessage
    assert composed.uploads.data == data
    assert (image.mimetype, image.width, image.height) == (mime, 300, 200)
    thumbnail = files.opened(image.JPEGThumbnail)
    assert (thumbnail.format, thumbnail.size) == ("JPEG", (100, 67))


@pytest.mark.parametrize("name", ["WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_other_pictures_become_jpegs(composed: Composer, name: str) -> None:
    """What not all apps show would be a grey box."""
    image = composed(IMAGE, files.picture(name), f"image/{name.lower()}").imageMessage
    assert image.mimetype == "image/jpeg"
    uploaded = files.opened(composed.uploads.data)
    assert (uploaded.format, uploaded.size) == ("JPEG", (300, 200))
    assert image.fileLength == len(composed.uploads.data)


@pytest.mark.parametrize("name", ["JPEG", "WEBP"])
def test_size_is_as_shown(composed: Composer, name: str) -> None:
    """A photograph that was taken upright is upright, though its pixels are not."""
    image = composed(IMAGE, files.picture(name, exif=TURNED), "image/jpeg").imageMessage
    assert (image.width, image.height) == (200, 300)
    assert files.opened(image.JPEGThumbnail).size == (67, 100)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_has_a_thumbnail(composed: Composer, mode: str) -> None:
    """Whatever its pixels are made of."""
    data = files.picture("PNG", mode=mode, color=1)
    assert files.opened(composed(IMAGE, data).imageMessage.JPEGThumbnail).mode in {"L", "RGB"}


def test_thumbnail_of_ink_for_print(composed: Composer) -> None:
    """A JPEG may also be made of four inks."""
    data = files.picture("JPEG", mode="CMYK", color=(0, 0, 0, 0))
    assert files.opened(composed(IMAGE, data).imageMessage.JPEGThumbnail).mode == "RGB"


def test_transparent_is_white_in_the_thumbnail(composed: Composer) -> None:
    """A logo on nothing would be black on black."""
    data = files.picture("PNG", mode="RGBA", color=(0, 0, 0, 0))
    thumbnail = files.opened(composed(IMAGE, data).imageMessage.JPEGThumbnail)
    assert thumbnail.getpixel((50, 30)) == (255, 255, 255)


@pytest.mark.parametrize("content", [IMAGE, STICKER])
@pytest.mark.parametrize(
    "data",
    [
        b"no picture",
        files.BROKEN,
        files.picture("JPEG")[:-200],
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    ],
)
def test_broken_picture_is_never_sent(
    composed: Composer, content: dict[str, Any], data: bytes
) -> None:
    """No more than one of a format for which Pillow would start other programs."""
    with pytest.raises(Unsendable, match="it is no picture that can be read"):
        composed(content, data, "image/png")
    assert composed.uploads.type is None


@pytest.mark.parametrize("content", [IMAGE, STICKER])
@pytest.mark.parametrize("limit", [59_999, 20_000])
def test_decompression_bomb_is_never_sent(
    composed: Composer, monkeypatch: pytest.MonkeyPatch, content: dict[str, Any], limit: int
) -> None:
    """Pillow's limit holds: it warns of what is above, and refuses what is twice that."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(Unsendable, match="pixels"):
        composed(content, files.picture(), "image/png")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_warning_is_an_end(composed: Composer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where warnings are only printed."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 59_999)
    with pytest.raises(Unsendable, match="300 x 200 pixels"):
        composed(IMAGE, files.picture(), "image/png")


@pytest.mark.parametrize(
    ("name", "how", "has_thumbnail"),
    [("JPEG", {}, True), ("JPEG", {"progressive": True}, False), ("PNG", {}, False)],
)
def test_large_picture_goes_without_thumbnail(
    composed: Composer,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    how: dict[str, Any],
    *,
    has_thumbnail: bool,
) -> None:
    """A thumbnail is not worth the memory, except where the picture shrinks while it is read."""
    monkeypatch.setattr(pictures, "PIXELS", 59_999)
    image = composed(IMAGE, files.picture(name, **how)).imageMessage
    assert image.HasField("JPEGThumbnail") is has_thumbnail
    assert (image.width, image.height) == (300, 200)


@pytest.mark.parametrize("animated", [False, True])
def test_sticker_goes_as_it_is(composed: Composer, *, animated: bool) -> None:
    """A WebP of 512 x 512 pixels is a sticker."""
    size = (512, 512)
    data = files.animation("WEBP", 3, 100, size) if animated else files.picture("WEBP", size)
    sticker = composed(STICKER, data, "image/webp").stickerMessage
    assert composed.uploads.data == data
    assert (sticker.mimetype, sticker.width, sticker.height) == ("image/webp", 512, 512)
    assert sticker.isAnimated is animated


@pytest.mark.parametrize("name", ["PNG", "JPEG", "GIF", "WEBP", "TIFF"])
def test_picture_becomes_a_sticker(composed: Composer, name: str) -> None:
    """It is as large as fits into the square, and around it is nothing."""
    sticker = composed(STICKER, files.picture(name), f"image/{name.lower()}").stickerMessage
    made = files.opened(composed.uploads.data)
    assert (made.format, made.size, made.mode) == ("WEBP", (512, 512), "RGBA")
    assert made.getchannel("A").getbbox() == (0, 86, 512, 427)
    assert not sticker.isAnimated
    assert sticker.fileLength == len(composed.uploads.data)


@pytest.mark.parametrize("name", ["GIF", "PNG", "WEBP"])
def test_animation_becomes_a_moving_sticker(composed: Composer, name: str) -> None:
    """With all of its frames, and as fast."""
    data = files.animation(name, 4, 120)
    sticker = composed(STICKER, data, f"image/{name.lower()}").stickerMessage
    assert sticker.isAnimated
    made = files.opened(composed.uploads.data)
    assert (made.format, made.size, getattr(made, "n_frames", 1)) == ("WEBP", (512, 512), 4)
    durations, reds = [], []
    for number in range(4):
        made.seek(number)
        made.load()
        durations.append(made.info["duration"])
        reds.append(made.getchannel("R").getpixel((256, 256)))
        assert made.getchannel("A").getpixel((256, 2)) == 0
        assert made.getchannel("A").getpixel((256, 256)) == 255
    assert durations == [120] * 4
    assert len(set(reds)) == 4


def test_long_animation_ends_after_ten_seconds(composed: Composer) -> None:
    """WhatsApp's stickers move no longer."""
    composed(STICKER, files.animation("GIF", 12, 1000), "image/gif")
    assert getattr(files.opened(composed.uploads.data), "n_frames", 1) == 10


def test_fast_animation_has_fewer_frames(composed: Composer) -> None:
    """It takes as long, in steps that can be seen."""
    composed(STICKER, files.animation("GIF", 9, 20), "image/gif")
    made = files.opened(composed.uploads.data)
    durations = []
    for number in range(getattr(made, "n_frames", 1)):
        made.seek(number)
        made.load()
        durations.append(made.info["duration"])
    assert durations == [60, 60, 60]


def test_sticker_is_small(composed: Composer) -> None:
    """Quality is given up for the size that stickers have."""
    file = BytesIO()
    Image.effect_noise((600, 600), 80).save(file, "PNG")
    composed(STICKER, file.getvalue(), "image/png")
    assert len(composed.uploads.data) < 100 * 1024


def test_too_large_for_a_sticker(composed: Composer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sticker needs all pixels of its picture in memory."""
    monkeypatch.setattr("outbox.session.whatsapp.process.sticker.PIXELS", 59_999)
    with pytest.raises(Unsendable, match="300 x 200 pixels"):
        composed(STICKER, files.picture(), "image/png")
