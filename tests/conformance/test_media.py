"""Media: a body names them by digest, the session fetches them when it sends."""

from io import BytesIO
from uuid import uuid4

from PIL import Image

from outbox.session.port import Attempt, Media
from tests.conformance.owner import Owners, attempt, key
from tests.conformance.subject import Stimulus


def drawn() -> bytes:
    """Return a picture, as a file has it."""
    file = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(file, "PNG")
    return file.getvalue()


PICTURE = drawn()
ONE, ANOTHER = "ab" * 32, "cd" * 32


def image(digest: str) -> Attempt:
    """Return an attempt to send an image."""
    return Attempt(uuid4(), 1, "447700900121@s.whatsapp.net", {"kind": "image", "media": digest})


def album(*digests: str) -> Attempt:
    """Return an attempt to send an album."""
    items = [{"media": digest} for digest in digests]
    content = {"kind": "album", "items": items}
    return Attempt(uuid4(), 1, "447700900121@s.whatsapp.net", content)


def test_fetched_by_digest(owners: Owners) -> None:
    """The bytes of a body's media are fetched by its digest."""
    asked: list[str] = []

    def media(digest: str) -> Media:
        asked.append(digest)
        return Media("image/png", len(PICTURE), [PICTURE[:20], PICTURE[20:]])

    owner = owners(media)
    owner.connect()
    assert owner.sent(image("ab" * 32))[0].type == "sent"
    assert asked == ["ab" * 32]


def test_erased(owners: Owners, stimulus: Stimulus) -> None:
    """An attempt whose media was erased is `rejected` with these words, and others go on."""
    owner = owners()
    owner.connect()
    bad, good = owner.sent(image("ab" * 32), attempt())
    assert (bad.type, bad.error) == ("rejected", f"media {'ab' * 32} was erased")
    assert good.type == "sent"
    assert len(stimulus.received()) == 1


def test_album(owners: Owners, stimulus: Stimulus) -> None:
    """All media of an album are fetched; its id and its trace are those of its first message."""
    asked: list[str] = []

    def media(digest: str) -> Media:
        asked.append(digest)
        return Media("image/png", len(PICTURE), [PICTURE[:20], PICTURE[20:]])

    owner = owners(media)
    owner.connect()
    sent = album(ONE, ANOTHER, ONE)
    outcome = owner.sent(sent)[0]
    assert outcome.type == "sent"
    assert asked == [ONE, ANOTHER, ONE]
    assert stimulus.received()[0].message_id == outcome.message_id
    assert owner.session.trace([key(sent)]) == {key(sent): outcome.message_id}


def test_album_of_which_one_was_erased(owners: Owners, stimulus: Stimulus) -> None:
    """Nothing of it leaves, and it ends in the same words as any other."""

    def media(digest: str) -> Media:
        if digest == ANOTHER:
            raise KeyError(digest)
        return Media("image/png", len(PICTURE), [PICTURE])

    owner = owners(media)
    owner.connect()
    bad, good = owner.sent(album(ONE, ANOTHER), attempt())
    assert (bad.type, bad.error) == ("rejected", f"media {ANOTHER} was erased")
    assert good.type == "sent"
    assert len(stimulus.received()) == 1


def test_not_to_be_had_now(owners: Owners, stimulus: Stimulus) -> None:
    """Media that cannot be fetched now cost no attempt: it ends as `not_sent`, nothing leaves."""

    def away(_digest: str) -> Media:
        raise ConnectionError("the database is away")

    owner = owners(away)
    owner.connect()
    outcome = owner.sent(image("ab" * 32))[0]
    assert outcome.type == "not_sent"
    assert "the database is away" in str(outcome.error)
    assert not stimulus.received()
