"""What can be sent: one model for each kind of content, judged as the database judges.

A content is written as a model, `Text(text="hello")`, or as a mapping, `{"kind": "text", "text":
"hello"}`. Whatever breaks a rule is refused when it is made, with the exception of
`outbox.errors` and the name of the rule that the database's `outbox.content_problem` gives for the
same body.
"""

from __future__ import annotations

from outbox.content.fields import digest
from outbox.content.models import (
    Album,
    AlbumItem,
    Audio,
    Contact,
    Content,
    Document,
    Edit,
    Image,
    Location,
    Poll,
    Reaction,
    Ref,
    Revoke,
    Sticker,
    Text,
    Video,
    Voice,
)
from outbox.content.parse import body, parse

__all__ = [
    "Album",
    "AlbumItem",
    "Audio",
    "Contact",
    "Content",
    "Document",
    "Edit",
    "Image",
    "Location",
    "Poll",
    "Reaction",
    "Ref",
    "Revoke",
    "Sticker",
    "Text",
    "Video",
    "Voice",
    "body",
    "digest",
    "parse",
]
