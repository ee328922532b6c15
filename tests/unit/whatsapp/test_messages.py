"""Contents without media become the messages that WhatsApp's apps make of them."""

import time
from typing import Any

import pytest

from outbox.content.models import KINDS
from outbox.session.whatsapp.process.media import MAKERS
from outbox.session.whatsapp.process.messages import _MAKERS, ALBUM, Unsendable
from tests.content_examples import GOOD
from tests.unit.whatsapp.composing import (
    ANOTHER,
    GROUP,
    LID,
    NEWSLETTER,
    OWN,
    PERSON,
    STATUS,
    Composer,
    kind,
)


def _text(**more: object) -> dict[str, Any]:
    return {"kind": "text", "text": "hello", **more}


def test_every_kind_of_content_has_a_maker() -> None:
    """Whatever the content models know can be composed, and nothing else."""
    assert MAKERS.keys() | _MAKERS.keys() | {ALBUM} == KINDS.keys()
    assert not MAKERS.keys() & _MAKERS.keys()


@pytest.mark.parametrize("to", [PERSON, LID, GROUP, "447700900123-1550000000@g.us"])
def test_every_good_content_without_media_is_composed(composed: Composer, to: str) -> None:
    """Whatever the rules let in becomes a message, or says why it never can."""
    for content in GOOD:
        if {"media", "items"} & content.keys() or content.get("link_preview"):
            continue
        try:
            composed(content, to=to)
        except Unsendable as error:
            assert "\n" not in str(error)  # noqa: PT017 - most are composed


def test_plain_text_is_a_conversation(composed: Composer) -> None:
    """A text that stands for itself is sent as WhatsApp sends it: without any context."""
    message = composed(_text(link_preview=False, mentions=[]))
    assert kind(message) == "conversation"
    assert message.conversation == "hello"


def test_status_is_an_extended_text(composed: Composer) -> None:
    """A status is never a bare conversation."""
    assert kind(composed(_text(), to=STATUS)) == "extendedTextMessage"


def test_mentions_become_jids(composed: Composer) -> None:
    """Numbers and JIDs are mentioned by JID, each once, in their order."""
    mentions = ["+44 7700 900-123", LID, "447700900123@s.whatsapp.net"]
    extended = composed(_text(mentions=mentions), to=GROUP).extendedTextMessage
    assert extended.text == "hello"
    assert list(extended.contextInfo.mentionedJID) == [PERSON, LID]
    assert not extended.contextInfo.HasField("stanzaID")
    assert not extended.HasField("title")


@pytest.mark.parametrize(
    ("quote", "to", "participant"),
    [
        ({}, PERSON, PERSON),
        ({}, LID, LID),
        ({"from_me": True}, PERSON, OWN),
        ({"from_me": True}, GROUP, OWN),
        ({"sender": ANOTHER}, GROUP, ANOTHER),
        ({"sender": LID, "from_me": False}, GROUP, LID),
        ({"sender": OWN}, GROUP, OWN),
        ({}, NEWSLETTER, ""),
    ],
)
def test_quote_names_message_and_author(
    composed: Composer, quote: dict[str, Any], to: str, participant: str
) -> None:
    """A quote has the message's id, who wrote it, and a text, which is empty: it is not known."""
    message = composed(_text(quote={"message_id": "3EB0A1", **quote}), to=to)
    info = message.extendedTextMessage.contextInfo
    assert info.stanzaID == "3EB0A1"
    assert info.participant == participant
    assert info.quotedMessage.HasField("conversation")
    assert not info.quotedMessage.conversation


@pytest.mark.parametrize(
    "content",
    [
        _text(quote={"message_id": "3EB0A1"}),
        {"kind": "reaction", "message": {"message_id": "3EB0A1"}, "emoji": "👍"},
        {"kind": "revoke", "message": {"message_id": "3EB0A1", "from_me": False}},
    ],
)
def test_reference_in_a_group_needs_an_author(composed: Composer, content: dict[str, Any]) -> None:
    """Where several people write, an id alone does not name a message."""
    with pytest.raises(Unsendable, match="3EB0A1 needs its sender or from_me"):
        composed(content, to=GROUP)


@pytest.mark.parametrize(
    "content",
    [
        _text(quote={"notification": "0197f6a2"}),
        {"kind": "reaction", "message": {"notification": "0197f6a2"}, "emoji": ""},
        {"kind": "edit", "message": {"notification": "0197f6a2"}, "text": "x"},
        {"kind": "revoke", "message": {"notification": "0197f6a2"}},
    ],
)
@pytest.mark.parametrize("to", [PERSON, GROUP])
def test_reference_to_what_was_never_sent(
    composed: Composer, content: dict[str, Any], to: str
) -> None:
    """A reference that was not resolved has no message that it could mean."""
    with pytest.raises(Unsendable, match="notification 0197f6a2"):
        composed(content, to=to)


def test_location(composed: Composer) -> None:
    """A place has its degrees, and its name and address if they are given."""
    place = {"kind": "location", "latitude": 51.5, "longitude": -0.12}
    bare = composed(place).locationMessage
    assert (bare.degreesLatitude, bare.degreesLongitude) == (51.5, -0.12)
    assert not bare.HasField("name")
    assert not bare.HasField("address")
    named = composed({**place, "name": "Parliament", "address": "London"}).locationMessage
    assert (named.name, named.address) == ("Parliament", "London")


def test_contact(composed: Composer) -> None:
    """A card says by `waid` which account the number has."""
    card = composed({"kind": "contact", "name": "Ada", "number": "+44 7700 900-123"})
    assert card.contactMessage.displayName == "Ada"
    assert card.contactMessage.vcard.split("\n") == [
        "BEGIN:VCARD",
        "VERSION:3.0",
        "N:;Ada;;;",
        "FN:Ada",
        "TEL;type=CELL;waid=447700900123:+447700900123",
        "END:VCARD",
    ]


def test_name_cannot_add_to_a_card(composed: Composer) -> None:
    r"""A name is one value, whatever it holds: a line of its own would be another number."""
    name = "Ada, \\ Countess; of\r\nTEL:+1"
    vcard = composed({"kind": "contact", "name": name, "number": "+1 202 555 0123"}).contactMessage
    assert vcard.vcard.split("\n")[3] == r"FN:Ada\, \\ Countess\; of TEL:+1"
    assert vcard.vcard.count("\n") == 5


@pytest.mark.parametrize(
    ("given", "count"), [({}, 1), ({"selectable": 0}, 0), ({"selectable": 2}, 2)]
)
def test_poll(composed: Composer, given: dict[str, int], count: int) -> None:
    """A poll has its options in their order; one may be chosen unless more is said."""
    poll = composed({"kind": "poll", "question": "Lunch?", "options": ["yes", "no"], **given})
    creation = poll.pollCreationMessage
    assert creation.name == "Lunch?"
    assert [option.optionName for option in creation.options] == ["yes", "no"]
    assert creation.HasField("selectableOptionsCount")
    assert creation.selectableOptionsCount == count


@pytest.mark.parametrize(
    ("reference", "to", "whose"),
    [
        ({}, PERSON, (False, "")),
        ({"sender": PERSON}, PERSON, (False, "")),
        ({"from_me": True}, PERSON, (True, "")),
        ({"from_me": True}, GROUP, (True, "")),
        ({"sender": OWN}, GROUP, (True, "")),
        ({"sender": ANOTHER}, GROUP, (False, ANOTHER)),
        ({"sender": ANOTHER}, STATUS, (False, ANOTHER)),
    ],
)
def test_reaction_names_its_message(
    composed: Composer, reference: dict[str, Any], to: str, whose: tuple[bool, str]
) -> None:
    """The key is as whatsmeow's BuildMessageKey makes it."""
    before = time.time_ns() // 1_000_000
    content = {"kind": "reaction", "message": {"message_id": "3EB0A1", **reference}, "emoji": "👍"}
    reaction = composed(content, to=to).reactionMessage
    assert (reaction.key.ID, reaction.key.remoteJID) == ("3EB0A1", to)
    assert (reaction.key.fromMe, reaction.key.participant) == whose
    assert reaction.text == "👍"
    assert before <= reaction.senderTimestampMS <= time.time_ns() // 1_000_000


def test_reaction_is_taken_back_by_an_empty_text(composed: Composer) -> None:
    """The text is there and empty: whatsmeow sees by it that this is no new reaction."""
    content = {"kind": "reaction", "message": {"message_id": "3EB0A1"}, "emoji": ""}
    reaction = composed(content).reactionMessage
    assert reaction.HasField("text")
    assert not reaction.text


def test_no_reaction_in_a_newsletter(composed: Composer) -> None:
    """There a reaction is no message."""
    content = {"kind": "reaction", "message": {"message_id": "3EB0A1"}, "emoji": "👍"}
    with pytest.raises(Unsendable, match="newsletter"):
        composed(content, to=NEWSLETTER)


@pytest.mark.parametrize("reference", [{}, {"from_me": True}, {"sender": OWN}])
@pytest.mark.parametrize("to", [PERSON, GROUP, NEWSLETTER])
def test_edit_wraps_the_new_text(composed: Composer, reference: dict[str, Any], to: str) -> None:
    """An edit is as whatsmeow's BuildEdit makes it, and always of an own message."""
    content = {"kind": "edit", "message": {"message_id": "3EB0A1", **reference}, "text": "bye"}
    message = composed(content, to=to)
    assert kind(message) == "editedMessage"
    protocol = message.editedMessage.message.protocolMessage
    assert protocol.type == protocol.MESSAGE_EDIT
    assert (protocol.key.ID, protocol.key.remoteJID, protocol.key.fromMe) == ("3EB0A1", to, True)
    assert not protocol.key.HasField("participant")
    assert protocol.editedMessage.conversation == "bye"
    assert protocol.timestampMS


def test_edit_keeps_mentions(composed: Composer) -> None:
    """The new text mentions people as a first one does."""
    content = {"kind": "edit", "message": {"message_id": "3EB0A1"}, "text": "@1", "mentions": [LID]}
    protocol = composed(content, to=GROUP).editedMessage.message.protocolMessage
    assert list(protocol.editedMessage.extendedTextMessage.contextInfo.mentionedJID) == [LID]


@pytest.mark.parametrize("reference", [{"from_me": False}, {"sender": ANOTHER}])
def test_no_edit_of_another_ones_message(composed: Composer, reference: dict[str, Any]) -> None:
    """WhatsApp would ignore it."""
    content = {"kind": "edit", "message": {"message_id": "3EB0A1", **reference}, "text": "bye"}
    with pytest.raises(Unsendable, match="edit"):
        composed(content, to=GROUP)


@pytest.mark.parametrize(
    ("reference", "to", "whose"),
    [
        ({"from_me": True}, PERSON, (True, "")),
        ({"from_me": True}, STATUS, (True, "")),
        ({"from_me": True}, NEWSLETTER, (True, "")),
        ({"sender": OWN}, GROUP, (True, "")),
        ({"sender": ANOTHER}, GROUP, (False, ANOTHER)),
    ],
)
def test_revoke_names_its_message(
    composed: Composer, reference: dict[str, Any], to: str, whose: tuple[bool, str]
) -> None:
    """A deletion is as whatsmeow's BuildRevoke makes it: of an own message, or by an admin."""
    content = {"kind": "revoke", "message": {"message_id": "3EB0A1", **reference}}
    protocol = composed(content, to=to).protocolMessage
    assert protocol.HasField("type")
    assert protocol.type == protocol.REVOKE
    assert (protocol.key.ID, protocol.key.remoteJID) == ("3EB0A1", to)
    assert (protocol.key.fromMe, protocol.key.participant) == whose


@pytest.mark.parametrize("reference", [{}, {"sender": PERSON}, {"from_me": False}])
def test_no_revoke_of_another_ones_message_outside_groups(
    composed: Composer, reference: dict[str, Any]
) -> None:
    """Nobody but its author can delete a message there."""
    with pytest.raises(Unsendable, match="needs from_me"):
        composed({"kind": "revoke", "message": {"message_id": "3EB0A1", **reference}})


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"kind": "location", "latitude": 0, "longitude": 0}, "locationMessage"),
        ({"kind": "contact", "name": "Ada", "number": "+447700900123"}, "contactMessage"),
        ({"kind": "poll", "question": "?", "options": ["a", "b"]}, "pollCreationMessage"),
    ],
)
def test_every_kind_can_quote(composed: Composer, content: dict[str, Any], name: str) -> None:
    """What can quote does it as a text does."""
    message = composed({**content, "quote": {"message_id": "3EB0A1"}})
    assert getattr(message, name).contextInfo.stanzaID == "3EB0A1"
    assert not getattr(composed(content), name).HasField("contextInfo")
