"""An album over WhatsApp: several messages, of which some may have left when another cannot."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from outbox.session.port import Media
from tests.conformance.owner import Owner, Owners, attempt, key
from tests.conformance.test_media import ANOTHER, ONE, PICTURE, album
from tests.conformance.whatsapp import WhatsappSubject, whatsapp_subject
from tests.whatsapp.wire import Fields

# Of a waE2E.Message, by their numbers.
_ALBUM, _IMAGES, _VIDEOS = 83, 2, 3
_IMAGE, _VIDEO = 3, 9
_CONTEXT, _SECRET, _ASSOCIATION, _PARENT, _ID = 35, 3, 10, 2, 3
_FILM = "f1" * 32
LATENCY = 0.5
"""Seconds for an acknowledgement, within which the server changes its mind."""


@pytest.fixture
def subject(tmp_path: Path, store_url: str) -> Iterator[WhatsappSubject]:
    """WhatsApp alone: elsewhere an album is one frame."""
    with whatsapp_subject(tmp_path, store_url) as made:
        yield made


@pytest.fixture
def owners(subject: WhatsappSubject) -> Iterator[Owners]:
    """Makes owners of sessions, which are closed after the test."""
    with ExitStack() as stack:
        yield Owners(subject, stack)


def stored(digest: str) -> Media:
    """Have a film, and the same picture for all else."""
    if digest == _FILM:
        return Media("video/mp4", 4, [b"film"])
    return Media("image/png", len(PICTURE), [PICTURE])


@pytest.fixture
def owner(owners: Owners) -> Owner:
    """The owner of a session that is connected and has media."""
    made = owners(stored)
    made.connect()
    return made


def test_items_name_the_album(owner: Owner, subject: WhatsappSubject) -> None:
    """The recipient gets a message that announces so many, and each of them, which names it."""
    sent = album(ONE, _FILM, ANOTHER)
    outcome = owner.sent(sent)[0]
    first, *items = subject.other_side.received()
    assert (outcome.type, outcome.message_id) == ("sent", first.message_id)
    announced = Fields.decode(first.content)
    assert announced.message(_ALBUM).number(_IMAGES) == 2
    assert announced.message(_ALBUM).number(_VIDEOS) == 1
    assert announced.message(_CONTEXT).data(_SECRET) == sent.secret
    contents = [Fields.decode(item.content) for item in items]
    assert [bool(content.data(_IMAGE)) for content in contents] == [True, False, True]
    assert [bool(content.data(_VIDEO)) for content in contents] == [False, True, False]
    for number, content in enumerate(contents, 1):
        context = content.message(_CONTEXT)
        parent = context.message(_ASSOCIATION).message(_PARENT)
        assert parent.data(_ID).decode() == first.message_id
        assert context.data(_SECRET) == hashlib.sha256(sent.secret + bytes([number])).digest()


def test_refused_as_a_whole(owner: Owner, subject: WhatsappSubject) -> None:
    """If its first message is refused nothing has left: that is a refusal like any other."""
    subject.other_side.refuse_all(479)
    outcome = owner.sent(album(ONE, ANOTHER))[0]
    assert (outcome.type, outcome.error) == ("failed", "server returned error 479")
    assert not subject.other_side.received()


def test_item_refused(owner: Owner, subject: WhatsappSubject) -> None:
    """If an item is refused that others have left before, it is `unknown`, and says which."""
    subject.other_side.latency = LATENCY
    sent = album(ONE, ANOTHER)
    owner.session.send([sent])
    subject.other_side.wait_received(2)
    subject.other_side.refuse_all(479)
    outcome = owner.outcome(sent)
    first, _ = subject.other_side.received()
    assert (outcome.type, outcome.message_id) == ("unknown", first.message_id)
    assert outcome.error == "item 2 of 2: server returned error 479"
    assert owner.session.trace([key(sent)]) == {key(sent): first.message_id}


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_dropped_before_a_frame(owner: Owner, subject: WhatsappSubject, nth: int) -> None:
    """Wherever the connection ends, the attempt may have left."""
    subject.other_side.drop_before_frame(nth)
    assert owner.sent(album(ONE, ANOTHER))[0].type == "unknown"
    assert len(subject.other_side.received()) < nth


def test_media_that_break_off(owners: Owners, subject: WhatsappSubject) -> None:
    """An album whose second media break off never leaves, and those after it do."""

    def breaking() -> Iterator[bytes]:
        yield PICTURE[:20]
        raise KeyError(ANOTHER)

    media: Callable[[str], Media] = lambda digest: (  # noqa: E731
        Media("image/png", len(PICTURE), breaking()) if digest == ANOTHER else stored(digest)
    )
    owner = owners(media)
    owner.connect()
    bad, good, text = owner.sent(album(ONE, ANOTHER, ONE), album(ONE, ONE), attempt())
    assert (bad.type, bad.error) == ("rejected", f"media {ANOTHER} was erased")
    assert (good.type, text.type) == ("sent", "sent")
    assert len(subject.other_side.received()) == 4
