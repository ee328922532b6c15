"""A notification as its caller writes it, judged before the database judges it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import BaseModel

from outbox.caller.media import judge_album
from outbox.caller.options import judge, judge_names
from outbox.content import Content, Text, body, parse
from outbox.content.refused import as_json
from outbox.errors import refusal
from outbox.recipient import jid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from outbox.caller.media import Media


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One of many for `enqueue_many`, which judges it: its number is then in the refusal."""

    to: str
    """A number in international form, or a JID."""
    text: str | None = None
    """A text message; instead of `content`."""
    content: Content | Mapping[str, Any] | None = None
    """What to send: a model of `outbox.content`, or a mapping such as {"kind": "text", …}."""
    idempotency_key: str | None = None
    """This and all that follow are as in `Options`."""
    priority: int | None = None
    send_at: datetime | None = None
    expires_in: timedelta | None = None
    max_attempts: int | None = None
    on_unknown: Literal["resend", "hold"] | None = None
    retry_after: timedelta | None = None
    retry_limit: timedelta | None = None
    metadata: Mapping[str, Any] | None = None


_NOT_OPTIONS = ("to", "text", "content")
_FIELDS = tuple(field.name for field in fields(Notification))


def described(given: Notification | Mapping[str, Any]) -> dict[str, Any]:
    """Return a notification as the JSON object that `outbox.enqueue_batch` takes.

    Raises:
        Refused: It breaks a rule.
    """
    if isinstance(given, Notification):
        named: Mapping[str, Any] = {name: getattr(given, name) for name in _FIELDS}
    elif isinstance(given, Mapping):
        named = given
    else:
        raise refusal("bad_batch", repr(given), "An item is a Notification or a mapping.")
    options = {name: value for name, value in named.items() if name not in _NOT_OPTIONS}
    recipient = jid(cast("str", named.get("to")))
    judge_names(options)
    content = body(composed(named.get("text"), named.get("content")))
    return {"recipient": recipient, "content": content, **judge(options)}


def composed(text: str | None, content: Content | Mapping[str, Any] | None) -> Content:
    """Return the content that is given in one of two ways.

    Raises:
        InvalidContent: It breaks a rule, or both or none are given.
        TextTooLong: A text, caption or name is beyond its limit.
    """
    if content is None:
        if text is None:
            raise refusal("body_not_object", None, "Give a text or a content.")
        return Text(text=text)
    if text is not None:
        raise refusal("unknown_field", "text beside content", "Give one of the two.")
    return content if isinstance(content, BaseModel) else parse(content)


def composed_with(
    media: Media, text: str | None, content: Content | Mapping[str, Any] | None
) -> Content:
    """Return the content that media make, with a text as its caption or into the content given.

    Raises:
        InvalidContent: It breaks a rule.
        MediaTooLarge: There are more bytes than the kind may have.
        TextTooLong: A caption is beyond its limit.
        UnusableMedia: The MIME type is another kind's.
    """
    if content is None:
        draft: dict[str, Any] = {"kind": media.kind}
        if text is not None:
            draft["caption"] = text
    else:
        draft = _drafted(text, content)
    _name(draft, media)
    if draft.get("kind") == "document" and media.name is not None:
        draft.setdefault("filename", media.name)
    made = parse(draft)
    media.judge(made.kind)
    return made


def composed_album(
    media: Sequence[Media], text: str | None, content: Content | Mapping[str, Any] | None
) -> Content:
    """Return the album that several media make, with a text as the first one's caption.

    Raises:
        InvalidContent: It breaks a rule.
        MediaTooLarge: There are more bytes than an item, or all of them, may have.
        TextTooLong: A caption is beyond its limit.
        UnusableMedia: The MIME type of one is neither an image's nor a video's.
    """
    draft: dict[str, Any] = {"kind": "album"}
    if content is not None:
        draft = _drafted(text, content)
    if draft.get("kind") != "album":
        shown = f"{len(media)} media for {draft.get('kind')}"
        raise refusal("media_mismatch", shown, "Several media make an album.")
    given = draft.setdefault("items", [{} for _ in media])
    if not isinstance(given, (list, tuple)):
        return parse(draft)  # refused for what it is
    items: list[Any] = [
        _drafted(None, item) if isinstance(item, (BaseModel, Mapping)) else item for item in given
    ]
    if len(items) != len(media):
        shown = f"{len(items)} items for {len(media)} media"
        raise refusal("bad_album", shown, "Give an item for each of the media.")
    if text is not None and items:
        items[0]["caption"] = text
    for item, stored in zip(items, media, strict=True):
        if isinstance(item, dict):
            _name(item, stored)
    made = parse(draft | {"items": items})
    judge_album(media)
    return made


def _drafted(text: str | None, content: BaseModel | Mapping[str, Any]) -> dict[str, Any]:
    """Return a content, or an album's item, to which a digest is added."""
    if text is not None:
        raise refusal("unknown_field", "text beside content", "Give it as the content's caption.")
    if isinstance(content, BaseModel):
        return content.model_dump(mode="json", exclude_none=True)
    if not isinstance(content, Mapping):
        raise refusal("body_not_object", as_json(content))
    return dict(content)


def _name(draft: dict[str, Any], media: Media) -> None:
    """Let a content, or an album's item, name the media whose bytes are given."""
    if draft.setdefault("media", media.digest) != media.digest:
        raise refusal(
            "bad_media_digest", as_json(draft["media"]), "Leave it out, since bytes are given."
        )
