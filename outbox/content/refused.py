"""Which rule a content breaks and what of it is shown: the refusal in the database's words.

Pydantic finds the fields that do not fit; the rule follows from the field and what it holds, as in
the SQL functions `content_problem` and `describe_content`, and in their order: fields that the kind
does not have, fields that are missing, then the first field that does not fit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from outbox.content import fields
from outbox.errors import Refused, refusal
from outbox.recipient import is_user

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

NULL = object()
"""Stands for a null in JSON, which no field takes: what is absent is left out."""

_TYPES = {
    "link_preview": "boolean",
    "latitude": "number",
    "longitude": "number",
    "selectable": "number",
    "options": "array",
    "items": "array",
    "mentions": "array",
}
"""What a field holds if it is neither a string nor a reference."""
_REFERENCES = ("message", "quote")
_RULES = {
    "kind": "unknown_kind",
    "media": "bad_media_digest",
    "filename": "bad_filename",
    "latitude": "bad_coordinates",
    "longitude": "bad_coordinates",
    "number": "bad_contact_number",
    "question": "bad_poll",
    "options": "bad_poll",
    "selectable": "bad_poll",
    "emoji": "bad_emoji",
    "mentions": "bad_mention",
}
_TOO_LONG = {
    "text": ("text_too_long", fields.TEXT),
    "caption": ("caption_too_long", fields.CAPTION),
    "name": ("name_too_long", fields.NAME),
    "address": ("name_too_long", fields.NAME),
}
_ITEM = ("media", "caption")
"""The fields of an album's item."""
_DIGEST = re.compile("[0-9a-f]{64}")
_SURROGATE = re.compile("[\ud800-\udfff]")


def unstorable(data: object) -> None:
    """Refuse what PostgreSQL's jsonb cannot hold at all.

    Raises:
        InvalidContent: a key or text has a NUL character or half of a surrogate pair.
    """
    rest: list[tuple[str, object]] = [("the content", data)]
    while rest:
        name, value = rest.pop()
        if isinstance(value, str):
            _judge_text(name, value)
        # A look at dict itself is many times as fast as one at what else is a mapping.
        elif isinstance(value, (dict, Mapping)):
            for key, inner in value.items():
                _judge_text("the name of a field", str(key))
                rest.append((str(key) if value is data else name, inner))
        elif isinstance(value, (list, tuple)):
            rest.extend((name, inner) for inner in value)


def broken(declared: Mapping[str, FieldInfo], given: object, error: ValidationError) -> Refused:
    """Return the refusal of a content in which pydantic has found these errors."""
    if not isinstance(given, Mapping):
        return refusal("body_not_object", as_json(given))
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    here = [(str(one["loc"][0]), one["type"]) for one in errors if len(one["loc"]) == 1]
    kind, names = declared["kind"].default, [name for name in declared if name != "kind"]
    unknown = sorted(name for name in map(str, given) if name not in declared)
    if unknown:
        value = f"{', '.join(unknown)} ({kind} has {', '.join(names)})"
        return refusal("unknown_field", value)
    missing = [name for name, type_ in here if type_ == "missing"]
    if missing:
        needed = ", ".join(name for name in names if declared[name].is_required())
        return refusal("missing_field", f"{', '.join(missing)} ({kind} needs {needed})")
    field = str(errors[0]["loc"][0])
    return _broken_field(field, given)


def bad_reference(given: object, field: str = "") -> Refused:
    """Return the refusal of a reference."""
    return refusal("bad_reference", f"{field} {as_json(given)}".strip())


def bad_item(given: object) -> Refused:
    """Return the refusal of an album's item that stands alone."""
    return _bad_item(given, "an item") or refusal("bad_album", as_json(given))


def as_json(value: object) -> str:
    """Write a value as PostgreSQL writes jsonb: short keys first."""

    def ordered(given: Any) -> Any:  # noqa: ANN401
        if isinstance(given, BaseModel):
            return ordered(given.model_dump(mode="json", exclude_none=True))
        if isinstance(given, Mapping):
            keys = sorted(given, key=lambda key: (len(str(key).encode()), str(key)))
            return {str(key): ordered(given[key]) for key in keys}
        if isinstance(given, (list, tuple)):
            return [ordered(one) for one in given]
        return None if given is NULL else given

    return json.dumps(ordered(value), ensure_ascii=False, default=str)


def _broken_field(field: str, given: Mapping[str, Any]) -> Refused:
    value = given[field]
    if field in _REFERENCES:
        return bad_reference(value, field)
    expected = _TYPES.get(field, "string")
    if _type(value) != expected and field != "kind":
        return refusal("wrong_type", f"{field} is {_type(value)}, not {expected}")
    if field == "items":
        return _bad_items(value)
    if field in _TOO_LONG:
        rule, limit = _TOO_LONG[field]
        if len(value) > limit:
            return refusal(rule, f"{field} of {len(value)} characters")
        return refusal("empty_text", field)
    return refusal(_RULES[field], _at_fault(field, value))


def _at_fault(field: str, value: Any) -> str | None:  # noqa: ANN401
    match _RULES[field]:
        case "bad_coordinates":
            return f"{field} {value}"
        case "bad_mention":
            return _bad_mention(value)
        case "bad_poll":
            return _bad_poll(field, value)
        case _:
            return str(value)


def _bad_mention(mentions: Sequence[Any]) -> str | None:
    if len(mentions) > fields.MENTIONS:
        return f"{len(mentions)} mentions"
    return _text(next(one for one in mentions if not is_user(one)))


def _bad_poll(field: str, value: Any) -> str:  # noqa: ANN401
    if field == "selectable":
        return f"selectable {value}"
    if field == "question":
        return _bad_words("question", value, fields.QUESTION) or ""
    least, most = fields.OPTIONS
    if not least <= len(value) <= most:
        return f"number of options {len(value)}"
    for number, option in enumerate(value, 1):
        if not isinstance(option, str):
            return f"option {number} is {_type(option)}, not string"
        bad = _bad_words(f"option {number}", option, fields.OPTION)
        if bad:
            return bad
    first = next(one for one in value if value.count(one) > 1)
    last = max(number for number, one in enumerate(value, 1) if one == first)
    return f"option {last} is given twice"


def _bad_items(items: Sequence[Any]) -> Refused:
    least, most = fields.ITEMS
    if not least <= len(items) <= most:
        return refusal("bad_album", f"number of items {len(items)}")
    found = (_bad_item(item, f"item {number}") for number, item in enumerate(items, 1))
    return next(filter(None, found), refusal("bad_album", as_json(items)))


def _bad_item(given: object, item: str) -> Refused | None:
    if isinstance(given, BaseModel):
        return None
    if not isinstance(given, Mapping):
        return refusal("wrong_type", f"{item} is {_type(given)}, not object")
    media, caption = given.get("media"), given.get("caption")
    unknown = sorted(name for name in map(str, given) if name not in _ITEM)
    rule = shown = ""
    if unknown:
        rule = "unknown_field"
        shown = f"{', '.join(unknown)} in {item} (an item has {', '.join(_ITEM)})"
    elif "media" not in given:
        rule, shown = "missing_field", f"media in {item} (an item needs media)"
    elif not isinstance(media, str):
        rule, shown = "wrong_type", f"media in {item} is {_type(media)}, not string"
    elif not _DIGEST.fullmatch(media):
        rule, shown = "bad_media_digest", media
    elif caption is not None and not isinstance(caption, str):
        rule, shown = "wrong_type", f"caption in {item} is {_type(caption)}, not string"
    elif caption is not None and len(caption) > fields.CAPTION:
        rule, shown = "caption_too_long", f"caption in {item} of {len(caption)} characters"
    return refusal(rule, shown) if rule else None


def _bad_words(name: str, text: str, limit: int) -> str | None:
    if fields.is_blank(text):
        return f"nothing to be seen in {name}"
    return f"{name} of {len(text)} characters" if len(text) > limit else None


def _text(value: object) -> str | None:
    """Return what SQL's ->> gives."""
    if value is None or value is NULL:
        return None
    return value if isinstance(value, str) else as_json(value)


def _type(value: object) -> str:
    """Return what jsonb_typeof gives."""
    if value is None or value is NULL:
        return "null"
    types: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (str, "string"),
        (bool, "boolean"),
        ((int, float), "number"),
        ((list, tuple), "array"),
        ((Mapping, BaseModel), "object"),
    )
    found = (name for type_, name in types if isinstance(value, type_))
    return next(found, type(value).__name__)


def _judge_text(name: str, text: str) -> None:
    if "\0" in text:
        raise refusal("nul_character", name)
    if not text.isascii() and _SURROGATE.search(text):
        raise refusal("unpaired_surrogate", name)
