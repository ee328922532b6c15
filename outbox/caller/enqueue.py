"""Enqueueing in the caller's transaction: what these return is executed by the caller.

    session.execute(enqueue(to="+44 7700 900123", text="hello")).scalar_one()

Whatever breaks a rule is refused before anything is sent, as the database would refuse it: the
same exception, rule, sentence and hint.
"""

from __future__ import annotations

import json
from os import PathLike
from typing import TYPE_CHECKING, Any, Final, Required, Unpack

import sqlalchemy as sa

from outbox.caller import tracing
from outbox.caller.executable import (
    Executable,
    Expression,
    call,
    rows,
    scalar,
    value,
    with_items_media,
    with_member,
)
from outbox.caller.media import Mime, Source, Sources, read, read_all
from outbox.caller.notification import (
    Notification,
    composed,
    composed_album,
    composed_with,
    described,
)
from outbox.caller.options import ACCOUNT, Options, judge, judge_account, judge_names
from outbox.content import body
from outbox.content.refused import as_json
from outbox.errors import Refused, refusal
from outbox.recipient import jid
from outbox.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import LiteralString
    from uuid import UUID

    from outbox.content import Content

_TYPES: Final[dict[str, LiteralString]] = {
    "priority": "integer",
    "send_at": "timestamptz",
    "expires_in": "interval",
    "max_attempts": "integer",
    "retry_after": "interval",
    "retry_limit": "interval",
    "metadata": "jsonb",
}
"""PostgreSQL's type of each option that is no text."""


class Arguments(Options, total=False):
    """What `enqueue` takes, for functions that hand it on."""

    to: Required[str]
    text: str | None
    content: Content | Mapping[str, Any] | None
    media: Sources | None
    mime: Mime
    account: str


def enqueue(
    *,
    to: str,
    text: str | None = None,
    content: Content | Mapping[str, Any] | None = None,
    media: Sources | None = None,
    mime: Mime = None,
    account: str = ACCOUNT,
    **options: Unpack[Options],
) -> Executable[UUID]:
    """Return the statement that enqueues one notification and gives its id.

    Args:
        to: A number in international form (+44 7700 900123), or the JID of a user, group or
            newsletter.
        text: A text message; beside `media`, their caption.
        content: Any content, as a model of `outbox.content` or as a mapping; beside `media`, all of
            it but the media's digest.
        media: Bytes or the path of a file, stored by the same statement. Without `content`, the
            MIME type decides whether they are an image, a video, a sound or a document. Several
            make an album, with `text` as the caption of the first; its `content` has an item for
            each.
        mime: The type of `media`; needed for bytes, otherwise guessed from the file's name. Of
            several it is the type of all, or there is one for each.
        account: The account that sends.
        options: See `Options`.

    Raises:
        Refused: A rule is broken; the subclass tells which kind of rule.
        OSError: The file of `media` cannot be read.
    """
    recipient = jid(to)
    judge_names(options)
    arguments = {
        "recipient": value(recipient, "text"),
        "content": _content(text, content, media, mime),
        "account": value(judge_account(account), "text"),
    }
    judged = judge(options)
    traceparent = tracing.current()
    if traceparent is not None:
        judged["metadata"] = tracing.within(judged.get("metadata", {}), traceparent)
    for name, given in judged.items():
        written = json.dumps(given) if name == "metadata" else given
        arguments[name] = value(written, _TYPES.get(name, "text"))
    return scalar(call("enqueue", **arguments), "id", sa.Uuid())


def enqueue_many(
    notifications: Iterable[Notification | Mapping[str, Any]], *, account: str = ACCOUNT
) -> Executable[UUID]:
    """Return the statement that enqueues many notifications, all or none, and gives their ids.

    The ids come one a row, in the order given. Thousands at once are what it is for.

    Args:
        notifications: Each a `Notification`, or a mapping of what that has.
        account: The account that sends them all.

    Raises:
        Refused: A rule is broken; the message names the number of the first that breaks one,
            counted from 1, and the value.
    """
    judge_account(account)
    items = [_numbered(number, given) for number, given in enumerate(notifications, 1)]
    traceparent = tracing.current()
    if traceparent is not None:
        for item in items:
            item["metadata"] = tracing.within(item.get("metadata", {}), traceparent)
    batch = call(
        "enqueue_batch",
        notifications=value(json.dumps(items), "jsonb"),
        account=value(account, "text"),
    )
    return rows(batch, "id", sa.Uuid())


def store_media(media: Source, mime: str | None = None) -> Executable[str]:
    """Return the statement that stores media, once however often given, and gives their digest.

    For media that many recipients get: `Image(media=digest)` and the like name them by the digest,
    which `outbox.digest` returns, too.

    Args:
        media: Bytes, or the path of a file.
        mime: Such as image/jpeg; needed for bytes, otherwise guessed from the file's name.

    Raises:
        MediaTooLarge: There are more bytes than any kind may have.
        OSError: The file cannot be read.
        UnusableMedia: There are no bytes, or no MIME type.
    """
    return scalar(read(media, mime).expression(), "digest", sa.Text())


def _content(
    text: str | None,
    content: Content | Mapping[str, Any] | None,
    media: Sources | None,
    mime: Mime,
) -> Expression:
    """Return the content as SQL, storing the media on the way."""
    if media is None:
        if mime is not None:
            shown = mime if isinstance(mime, str) else as_json(mime)
            raise refusal("bad_mime", shown, "There are no media that it could be the type of.")
        return _written(composed(text, content))
    if isinstance(media, (bytes, str, PathLike)):
        if mime is not None and not isinstance(mime, str):
            raise refusal("bad_mime", as_json(mime), "Media given alone have one type.")
        one = read(media, mime)
        made = composed_with(one, text, content)
        return with_member(_written(made), "media", one.expression())
    several = read_all(media, mime)
    made = composed_album(several, text, content)
    # In one order whatever the caller's, so that two albums of the same media never deadlock.
    ordered = sorted(enumerate(several), key=lambda numbered: numbered[1].digest)
    stored = ((index, each.expression()) for index, each in ordered)
    return with_items_media(_written(made), stored)


def _written(content: Content) -> Expression:
    return value(json.dumps(body(content)), "jsonb")


def _numbered(number: int, given: Notification | Mapping[str, Any]) -> dict[str, Any]:
    try:
        return described(given)
    except Refused as refused:
        known = RULES[refused.rule]
        before, _, after = known.message.partition("%s")
        shown = refused.message.removeprefix(before).removesuffix(after)
        more = refused.hint.removesuffix(known.hint).strip()
        raise refusal(refused.rule, f"number {number} of the batch: {shown}", more) from None
