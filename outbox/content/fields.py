r"""The types of a content's fields: what each may hold, and where the limit comes from.

WhatsApp publishes few limits for its apps; these sources are the best that there are:

- 65,536 characters of text: what the apps take, by hearsay only (engageSPARK, "WhatsApp Business:
  Character Limits"); Meta's Business Platform takes 4,096.
- 1,024 characters of caption: Meta, WhatsApp Business Platform, "Image messages".
- a poll's question of 255 characters and 2 to 12 options of 100 characters that differ: GREEN-API,
  "SendPoll", a gateway that is a linked device as the outbox is.
- an album of 2 to 30 items: neonize's send_album sends no fewer; the apps let one choose so many
  at once for years, by hearsay (whatsapp-tips.com, "How many MB can be sent via WhatsApp?").
- 1,024 mentions: the most members that a group has.
- a file name, a contact's name, a place's name and address, an emoji: ours, against accidents.

What can be seen is spelled out as a class of characters, because `\s` means something else in each
language that judges.
"""

import hashlib
import re
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from outbox.recipient import form, is_user

VISIBLE = (
    r"[^\u0001-\u0020\u007f-\u00a0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000"
    r"\ufeff]"
)
"""A character that is neither white space nor control nor invisible."""
_EMOJI = re.compile(
    r"[^\u0001-\u0022\u0024-\u0029\u002b-\u002f\u003a-\u00a0\u2000-\u200c\u2028\u2029\u3000]{1,16}"
)
_BEYOND_ASCII = re.compile(r"[^\u0001-\u00a0]")
_FORBIDDEN_IN_NAMES = re.compile(r"[/\\\u0001-\u001f\u007f-\u009f]")
_UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")

TEXT = 65536
CAPTION = 1024
NAME = 1024
FILE_NAME = 255
QUESTION = 255
OPTION = 100
OPTIONS = (2, 12)
ITEMS = (2, 30)
MENTIONS = 1024


def digest(data: bytes) -> str:
    """Return the digest by which a content names its media: SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def is_blank(text: str) -> bool:
    """Return whether nothing of the text can be seen."""
    return re.search(VISIBLE, text) is None


def _uuid(value: object) -> object:
    """Take a UUID in the form that every language writes; Python's own parser takes more."""
    return UUID(value) if isinstance(value, str) and _UUID.fullmatch(value) else value


def _file_name(value: str) -> str:
    if is_blank(value) or _FORBIDDEN_IN_NAMES.search(value):
        raise ValueError
    return value


def _contact_number(value: str) -> str:
    if not value.startswith("+") or form(value) is None:
        raise ValueError
    return value


def _sender(value: str) -> str:
    if value.startswith("+") or not is_user(value):
        raise ValueError
    return value


def _emoji(value: str) -> str:
    if value and not (_EMOJI.fullmatch(value) and _BEYOND_ASCII.search(value)):
        raise ValueError
    return value


def _users(value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(map(is_user, value)):
        raise ValueError
    return value


def _different(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) < len(value):
        raise ValueError
    return value


LongText = Annotated[str, Field(max_length=TEXT, pattern=VISIBLE)]
CaptionText = Annotated[str, Field(max_length=CAPTION)]
VisibleName = Annotated[str, Field(max_length=NAME, pattern=VISIBLE)]
Name = Annotated[str, Field(max_length=NAME)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(max_length=FILE_NAME), AfterValidator(_file_name)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
ContactNumber = Annotated[str, AfterValidator(_contact_number)]
Question = Annotated[str, Field(max_length=QUESTION, pattern=VISIBLE)]
Option = Annotated[str, Field(max_length=OPTION, pattern=VISIBLE)]
Options = Annotated[
    tuple[Option, ...],
    Field(strict=False, min_length=OPTIONS[0], max_length=OPTIONS[1]),
    AfterValidator(_different),
]
Selectable = Annotated[int, Field(ge=0, le=OPTIONS[1])]
Emoji = Annotated[str, AfterValidator(_emoji)]
Mentions = Annotated[
    tuple[str, ...], Field(strict=False, max_length=MENTIONS), AfterValidator(_users)
]
NotificationId = Annotated[UUID, BeforeValidator(_uuid)]
MessageId = Annotated[str, Field(pattern=r"^[!-~]{1,128}$")]
Sender = Annotated[str, AfterValidator(_sender)]
