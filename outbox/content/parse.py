"""From JSON's types to a content and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outbox.content.models import KINDS, Content
from outbox.content.refused import NULL, as_json, unstorable
from outbox.errors import refusal


def parse(given: Mapping[str, Any]) -> Content:
    """Return the content that a JSON object describes.

    Args:
        given: A body such as `{"kind": "text", "text": "hello"}`. A field that is null is refused:
            what is absent is left out, so that one content has one spelling.

    Raises:
        InvalidContent: it breaks a rule, which the exception names.
        TextTooLong: a text, caption or name is beyond its limit.
    """
    if not isinstance(given, Mapping):
        raise refusal("body_not_object", as_json(given))
    unstorable(given)
    kind = given.get("kind")
    model = KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        shown = kind if isinstance(kind, str) else as_json(kind)
        raise refusal("unknown_kind", "none is given" if kind is None else shown)
    return model.model_validate({name: _explicit(value) for name, value in given.items()})


def body(content: Content) -> dict[str, Any]:
    """Return the JSON object that describes a content, without the fields that are absent."""
    return content.model_dump(mode="json", exclude_none=True)


def _explicit(value: object) -> object:
    """Keep JSON's null apart from Python's None, which means that a field is absent."""
    if isinstance(value, str):  # most are, and what is a mapping is slow to find out
        return value
    if isinstance(value, Mapping):
        return {name: _explicit(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_explicit(inner) for inner in value]
    return NULL if value is None else value
