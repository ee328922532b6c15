"""Contents and recipients with the verdict that SQL and Python have to give alike."""

from typing import Any, NamedTuple

DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ID = "0197f6a2-3c1e-7b5a-8c44-1d2e3f405162"


ITEM = {"media": DIGEST}


class Example(NamedTuple):
    """A body, the rule that it breaks (none if it is fine) and the value that is shown."""

    body: Any
    rule: str | None = None
    shown: str = ""


def text_with(**more: object) -> dict[str, Any]:
    """Return a good text with these fields added or replaced."""
    return {"kind": "text", "text": "hello", **more}


def _image(**more: object) -> dict[str, Any]:
    return {"kind": "image", "media": DIGEST, **more}


def _document(**more: object) -> dict[str, Any]:
    return {"kind": "document", "media": DIGEST, "filename": "invoice.pdf", **more}


def _album(*items: object, **more: object) -> dict[str, Any]:
    return {"kind": "album", "items": list(items) or [ITEM, ITEM], **more}


def _location(**more: object) -> dict[str, Any]:
    return {"kind": "location", "latitude": 51.5, "longitude": -0.12, **more}


def _contact(**more: object) -> dict[str, Any]:
    return {"kind": "contact", "name": "Ada", "number": "+44 7700 900123", **more}


def _poll(**more: object) -> dict[str, Any]:
    return {"kind": "poll", "question": "Lunch?", "options": ["yes", "no"], **more}


def _reaction(emoji: object, message: object = None) -> dict[str, Any]:
    return {"kind": "reaction", "message": message or {"message_id": "3EB0A1"}, "emoji": emoji}


def _edit(**more: object) -> dict[str, Any]:
    return {"kind": "edit", "message": {"notification": ID}, "text": "hello", **more}


GOOD = [
    text_with(),
    text_with(text="x" * 65536),
    text_with(text="👍" * 65536),
    text_with(text=" \u00a0.\n"),
    text_with(text="мир"),
    text_with(link_preview=False),
    text_with(
        link_preview=True, mentions=["+44 7700 900123", "447700900123@s.whatsapp.net", "1@lid"]
    ),
    text_with(mentions=[]),
    text_with(mentions=["1@lid"] * 1024),
    text_with(quote={"notification": ID}),
    text_with(quote={"message_id": "3EB0C767D26A5B0B"}),
    text_with(quote={"message_id": "a", "sender": "447700900123@s.whatsapp.net", "from_me": False}),
    text_with(quote={"message_id": "~" * 128, "sender": "77@lid", "from_me": True}),
    _image(),
    _image(caption=""),
    _image(caption="x" * 1024, mentions=["+447700900123"], quote={"message_id": "1"}),
    {"kind": "video", "media": DIGEST, "caption": "a film"},
    {"kind": "audio", "media": DIGEST},
    {"kind": "voice", "media": DIGEST, "quote": {"message_id": "1"}},
    {"kind": "sticker", "media": DIGEST},
    _document(),
    _document(filename="x" * 255, caption="for you"),
    _document(filename="Rechnung März, 2.pdf"),
    _album(),
    _album(ITEM | {"caption": ""}, ITEM | {"caption": "x" * 1024}),
    _album(*[ITEM] * 30, mentions=["+447700900123"], quote={"message_id": "1"}),
    _location(),
    _location(latitude=-90, longitude=180, name="", address="x" * 1024),
    _location(latitude=90.0, longitude=-180.0, quote={"message_id": "1"}),
    _location(latitude=1e-300, longitude=0),
    _contact(),
    _contact(name="x" * 1024, number="+1-202.555 0123"),
    _poll(),
    _poll(selectable=0),
    _poll(selectable=2, quote={"message_id": "1"}),
    _poll(question="?" * 255, options=["x" * 100, *"abcdefghijk"], selectable=12),
    _poll(options=["A", "a", "a ", "á", "a\u0301"]),
    _reaction("👍"),
    _reaction(""),
    _reaction("1️⃣"),
    _reaction("👨🏻‍❤️‍💋‍👨🏿"),
    _reaction("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"),
    _reaction("❤", {"notification": ID}),
    _edit(),
    _edit(text="x" * 65536, mentions=["+447700900123"]),
    {"kind": "revoke", "message": {"message_id": "3EB0", "from_me": True}},
]
"""Contents that break no rule."""

BAD = [
    Example([], "body_not_object", "[]"),
    Example("text", "body_not_object", '"text"'),
    Example(5, "body_not_object", "5"),
    Example(None, "body_not_object", "null"),
    Example(["kind"], "body_not_object", '["kind"]'),
    Example({}, "unknown_kind", "none is given"),
    Example({"text": "hello"}, "unknown_kind", "none is given"),
    Example({"kind": None}, "unknown_kind", "none is given"),
    Example({"kind": "sms", "text": "x"}, "unknown_kind", "sms"),
    Example({"kind": "Text", "text": "x"}, "unknown_kind", "Text"),
    Example({"kind": "text ", "text": "x"}, "unknown_kind", "text "),
    Example({"kind": ""}, "unknown_kind", '""'),
    Example({"kind": 5}, "unknown_kind", "5"),
    Example({"kind": {"text": 1}}, "unknown_kind", '{"text": 1}'),
    Example({"kind": ["text"]}, "unknown_kind", '["text"]'),
    Example(
        text_with(txt=1, Text=2),
        "unknown_field",
        "Text, txt (text has text, link_preview, mentions, quote)",
    ),
    Example(text_with(media=DIGEST), "unknown_field"),
    Example(text_with(**{"": 1}), "unknown_field"),
    Example(text_with(ключ=None), "unknown_field"),
    Example({"kind": "audio", "media": DIGEST, "caption": "x"}, "unknown_field"),
    Example(_reaction("👍") | {"quote": {"message_id": "1"}}, "unknown_field"),
    Example({"kind": "text", "foo": 1}, "unknown_field"),
    Example(
        _album(caption="x", media=DIGEST),
        "unknown_field",
        "caption, media (album has items, mentions, quote)",
    ),
    Example(
        _album(ITEM, ITEM | {"kind": "image", "Text": 1}),
        "unknown_field",
        "Text, kind in item 2 (an item has media, caption)",
    ),
    Example({"kind": "text"}, "missing_field", "text (text needs text)"),
    Example(
        {"kind": "document"},
        "missing_field",
        "media, filename (document needs media, filename)",
    ),
    Example(
        {"kind": "location", "longitude": "x"},
        "missing_field",
        "latitude (location needs latitude, longitude)",
    ),
    Example({"kind": "album"}, "missing_field", "items (album needs items)"),
    Example(
        _album(ITEM, {"caption": "x"}), "missing_field", "media in item 2 (an item needs media)"
    ),
    Example({"kind": "reaction", "emoji": 5}, "missing_field"),
    Example({"kind": "revoke"}, "missing_field", "message (revoke needs message)"),
    Example(text_with(text=5), "wrong_type", "text is number, not string"),
    Example(text_with(text=None), "wrong_type", "text is null, not string"),
    Example(text_with(text=["x"]), "wrong_type", "text is array, not string"),
    Example(text_with(text={"x": "x"}), "wrong_type", "text is object, not string"),
    Example(text_with(text=True), "wrong_type", "text is boolean, not string"),
    Example(text_with(link_preview="yes"), "wrong_type", "link_preview is string, not boolean"),
    Example(text_with(link_preview=1), "wrong_type"),
    Example(text_with(link_preview=None), "wrong_type", "link_preview is null, not boolean"),
    Example(text_with(mentions="+447700900123"), "wrong_type", "mentions is string, not array"),
    Example(text_with(mentions=None), "wrong_type"),
    Example(_image(media=5), "wrong_type"),
    Example(_image(caption=None), "wrong_type", "caption is null, not string"),
    Example(_document(filename=None), "wrong_type"),
    Example(_album(items=ITEM), "wrong_type", "items is object, not array"),
    Example(_album(items=None), "wrong_type", "items is null, not array"),
    Example(_album(ITEM, DIGEST), "wrong_type", "item 2 is string, not object"),
    Example(_album(ITEM, None), "wrong_type", "item 2 is null, not object"),
    Example(_album({"media": None}, ITEM), "wrong_type", "media in item 1 is null, not string"),
    Example(_album(ITEM, {"media": 5}), "wrong_type", "media in item 2 is number, not string"),
    Example(
        _album(ITEM, ITEM | {"caption": None}),
        "wrong_type",
        "caption in item 2 is null, not string",
    ),
    Example(_album(mentions="ada"), "wrong_type", "mentions is string, not array"),
    Example(_location(latitude="51.5"), "wrong_type", "latitude is string, not number"),
    Example(_location(longitude=False), "wrong_type", "longitude is boolean, not number"),
    Example(_location(name=5), "wrong_type"),
    Example(_location(address=None), "wrong_type"),
    Example(_contact(name=None), "wrong_type"),
    Example(_contact(number=447700900123), "wrong_type"),
    Example(_poll(question=None), "wrong_type"),
    Example(_poll(options="yes"), "wrong_type", "options is string, not array"),
    Example(_poll(options={"a": "b"}), "wrong_type"),
    Example(_poll(selectable="1"), "wrong_type", "selectable is string, not number"),
    Example(_poll(selectable=None), "wrong_type"),
    Example(_poll(selectable=True), "wrong_type"),
    Example(_reaction(5), "wrong_type"),
    Example(_edit(text=None), "wrong_type"),
    Example(text_with(text=""), "empty_text", "text"),
    Example(
        text_with(text=" \t\r\n\u00a0\u200b\u2028\u3000\ufeff\u200e\u00ad"), "empty_text", "text"
    ),
    Example(text_with(text="\u001b\u007f\u0085"), "empty_text"),
    Example(_contact(name=" "), "empty_text", "name"),
    Example(_edit(text="\u2060"), "empty_text"),
    Example(text_with(text="x" * 65537), "text_too_long", "text of 65537 characters"),
    Example(text_with(text="👍" * 65537), "text_too_long"),
    Example(text_with(text=" " * 65537), "text_too_long"),
    Example(_edit(text="x" * 70000), "text_too_long", "text of 70000 characters"),
    Example(_image(caption="x" * 1025), "caption_too_long", "caption of 1025 characters"),
    Example(_document(caption="x" * 1025), "caption_too_long"),
    Example(
        _album(ITEM, ITEM | {"caption": "x" * 1025}),
        "caption_too_long",
        "caption in item 2 of 1025 characters",
    ),
    Example(_location(name="x" * 1025), "name_too_long", "name of 1025 characters"),
    Example(_location(address="x" * 1025), "name_too_long", "address of 1025 characters"),
    Example(_contact(name="x" * 1025), "name_too_long"),
    Example(_image(media=""), "bad_media_digest", '""'),
    Example(_image(media=DIGEST.upper()), "bad_media_digest", DIGEST.upper()),
    Example(_image(media=DIGEST + "\n"), "bad_media_digest"),
    Example(_image(media=DIGEST[1:]), "bad_media_digest"),
    Example(_image(media="https://example.org/cat.jpg"), "bad_media_digest"),
    Example(_album(ITEM, {"media": "x"}), "bad_media_digest", "x"),
    Example(_album({"media": ""}, ITEM), "bad_media_digest", '""'),
    Example(_document(filename=""), "bad_filename", '""'),
    Example(_document(filename="a/b"), "bad_filename", "a/b"),
    Example(_document(filename="a\\b"), "bad_filename"),
    Example(_document(filename="a\nb"), "bad_filename", "a b"),
    Example(_document(filename="\u00a0"), "bad_filename"),
    Example(_document(filename="x" * 256), "bad_filename", "x" * 119 + "…"),
    Example(_location(latitude=91), "bad_coordinates", "latitude 91"),
    Example(_location(latitude=-90.5), "bad_coordinates", "latitude -90.5"),
    Example(_location(longitude=180.1), "bad_coordinates", "longitude 180.1"),
    Example(_location(longitude=-181), "bad_coordinates"),
    Example(_location(latitude=10**400), "bad_coordinates"),
    Example(_contact(number="07700 900123"), "bad_contact_number", "07700 900123"),
    Example(_contact(number="447700900123@s.whatsapp.net"), "bad_contact_number"),
    Example(_contact(number="+44 (0)7700 900123"), "bad_contact_number"),
    Example(_contact(number=""), "bad_contact_number"),
    Example(_poll(question=""), "bad_poll", "nothing to be seen in question"),
    Example(_poll(question="x" * 256), "bad_poll", "question of 256 characters"),
    Example(_poll(options=[]), "bad_poll", "number of options 0"),
    Example(_poll(options=["a"]), "bad_poll", "number of options 1"),
    Example(_poll(options=[*"abcdefghijklm"]), "bad_poll", "number of options 13"),
    Example(_poll(options=["a", 5]), "bad_poll", "option 2 is number, not string"),
    Example(_poll(options=["a", None]), "bad_poll", "option 2 is null, not string"),
    Example(_poll(options=["a", ["b"]]), "bad_poll", "option 2 is array, not string"),
    Example(_poll(options=[" ", "b"]), "bad_poll", "nothing to be seen in option 1"),
    Example(_poll(options=["a", "x" * 101]), "bad_poll", "option 2 of 101 characters"),
    Example(_poll(options=["a", "b", "a"]), "bad_poll", "option 3 is given twice"),
    Example(_poll(selectable=3), "bad_poll", "selectable 3"),
    Example(_poll(selectable=-1), "bad_poll", "selectable -1"),
    Example(_poll(selectable=1.5), "bad_poll", "selectable 1.5"),
    Example(_poll(selectable=1.0), "bad_poll", "selectable 1.0"),
    Example(_poll(selectable=10**30), "bad_poll"),
    Example(_poll(selectable=9, quote=5), "bad_poll"),
    Example(_album(items=[]), "bad_album", "number of items 0"),
    Example(_album(ITEM), "bad_album", "number of items 1"),
    Example(_album(*[ITEM] * 31), "bad_album", "number of items 31"),
    Example(_reaction("ok"), "bad_emoji", "ok"),
    Example(_reaction("1"), "bad_emoji"),
    Example(_reaction("👍 "), "bad_emoji"),
    Example(_reaction(" "), "bad_emoji"),
    Example(_reaction("\u200b"), "bad_emoji"),
    Example(_reaction("👍" * 17), "bad_emoji"),
    Example(_reaction("👍", {"id": "3EB0"}), "bad_reference", 'message {"id": "3EB0"}'),
    Example(text_with(quote={}), "bad_reference", "quote {}"),
    Example(text_with(quote=None), "bad_reference", "quote null"),
    Example(text_with(quote="3EB0"), "bad_reference", 'quote "3EB0"'),
    Example(text_with(quote=[{"message_id": "3EB0"}]), "bad_reference"),
    Example(text_with(quote={"message_id": ""}), "bad_reference"),
    Example(text_with(quote={"message_id": "x" * 129}), "bad_reference"),
    Example(text_with(quote={"message_id": "a b"}), "bad_reference"),
    Example(text_with(quote={"message_id": "3EB0\n"}), "bad_reference"),
    Example(text_with(quote={"message_id": "é"}), "bad_reference"),
    Example(text_with(quote={"message_id": 5}), "bad_reference"),
    Example(text_with(quote={"message_id": None}), "bad_reference"),
    Example(
        text_with(quote={"message_id": "1", "sender": None}),
        "bad_reference",
        'quote {"sender": null, "message_id": "1"}',
    ),
    Example(text_with(quote={"message_id": "1", "sender": "+447700900123"}), "bad_reference"),
    Example(text_with(quote={"message_id": "1", "sender": "1@g.us"}), "bad_reference"),
    Example(text_with(quote={"message_id": "1", "from_me": "yes"}), "bad_reference"),
    Example(text_with(quote={"message_id": "1", "from_me": None}), "bad_reference"),
    Example(text_with(quote={"message_id": "1", "chat": "1@g.us"}), "bad_reference"),
    Example(text_with(quote={"sender": "1@lid"}), "bad_reference"),
    Example(text_with(quote={"notification": ID, "message_id": "1"}), "bad_reference"),
    Example(text_with(quote={"notification": ID, "from_me": True}), "bad_reference"),
    Example(text_with(quote={"notification": "7"}), "bad_reference"),
    Example(text_with(quote={"notification": ID.replace("-", "")}), "bad_reference"),
    Example(text_with(quote={"notification": "{" + ID + "}"}), "bad_reference"),
    Example(text_with(quote={"notification": None, "message_id": "1"}), "bad_reference"),
    Example(text_with(quote={"notification": 7}), "bad_reference"),
    Example({"kind": "revoke", "message": "3EB0"}, "bad_reference"),
    Example(_edit(message=None), "bad_reference"),
    Example(text_with(mentions=["+447700900123", "1@g.us"]), "bad_mention", "1@g.us"),
    Example(text_with(mentions=["ada"]), "bad_mention", "ada"),
    Example(text_with(mentions=[""]), "bad_mention", '""'),
    Example(text_with(mentions=[5]), "bad_mention", "5"),
    Example(text_with(mentions=[None]), "bad_mention", "null"),
    Example(text_with(mentions=[["a", {"b": 1}]]), "bad_mention", '["a", {"b": 1}]'),
    Example(text_with(mentions=["1@lid"] * 1025), "bad_mention", "1025 mentions"),
    Example(_image(media="x", caption=5), "bad_media_digest"),
    Example(_image(caption=5, mentions=["x"]), "wrong_type"),
    Example(text_with(mentions=["x"], quote=5), "bad_mention"),
    Example(text_with(text="", link_preview=5, mentions=5), "empty_text"),
    Example(_reaction(5, {"message_id": ""}), "bad_reference"),
    Example(_album({"media": "x"}, 5, quote=5), "bad_media_digest", "x"),
    Example(_album(quote=5, mentions=["x"]), "bad_mention"),
    Example(_album(quote={"message_id": None}), "bad_reference", 'quote {"message_id": null}'),
]
"""Contents that break a rule, the ones that break several with the first of them."""

JIDS = {
    "+447700900123": "447700900123@s.whatsapp.net",
    "+44 7700 900123": "447700900123@s.whatsapp.net",
    "+44-7700.900\u00a0123": "447700900123@s.whatsapp.net",
    "+1 - 202 - 555 - 0123": "12025550123@s.whatsapp.net",
    "447700900123@s.whatsapp.net": "447700900123@s.whatsapp.net",
    "1234567@s.whatsapp.net": "1234567@s.whatsapp.net",
    "123456789012345@s.whatsapp.net": "123456789012345@s.whatsapp.net",
    "84019283746501@lid": "84019283746501@lid",
    "120363041234567890@g.us": "120363041234567890@g.us",
    "447700900123-1550000000@g.us": "447700900123-1550000000@g.us",
    "120363041234567890@newsletter": "120363041234567890@newsletter",
    "status@broadcast": "status@broadcast",
}
"""Recipients and their JIDs."""

NOBODY = [
    "",
    " ",
    "+",
    "ada",
    "447700900123",
    "07700 900123",
    "00447700900123",
    "+0447700900",
    "+123456",
    "+1234567890123456",
    "+44 (0)7700 900123",
    "+44 7700 900123 ",
    " +44 7700 900123",
    "+44 7700 900123\n",
    "++447700900123",
    "+ 447700900123",
    "+44\u20117700900123",
    "+44 7700 900123 ext. 5",
    "+٤٤٧٧٠٠٩٠٠١٢٣",
    "+1" + " " * 70 + "2025550123",
    "447700900123@c.us",
    "+447700900123@s.whatsapp.net",
    "447700900123:3@s.whatsapp.net",
    "0447700900@s.whatsapp.net",
    "123456@s.whatsapp.net",
    "1234567890123456@s.whatsapp.net",
    "447700900123@s.whatsapp.net\n",
    "447700900123@sXwhatsapp.net",
    "447700900123@S.WHATSAPP.NET",
    "@lid",
    "x@lid",
    "-1@g.us",
    "1-@g.us",
    "1-2-3@g.us",
    "1-2@newsletter",
    "1" * 70 + "@g.us",
    "x@broadcast",
    "١@lid",  # noqa: RUF001 - a digit, but not of those that WhatsApp takes
]
"""Texts that are no recipients."""
