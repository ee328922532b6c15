"""The kinds of content as models: immutable, and refused by our own exceptions when made.

The fields stand in the order in which they are judged, which is the database's.
"""

from typing import Annotated, Any, Literal, Self, TypeAlias, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    WrapValidator,
    field_validator,
    model_validator,
)

from outbox.content import fields
from outbox.content.refused import bad_item, bad_reference, broken, unstorable
from outbox.errors import Refused


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Ref(_Strict):
    """A message that another one quotes, reacts to, edits or revokes."""

    notification: fields.NotificationId | None = None
    """One of ours, by the id that its enqueue returned; needs no other field."""
    message_id: fields.MessageId | None = None
    """Any message, by WhatsApp's id of it."""
    sender: fields.Sender | None = None
    """The JID of the user who sent it, needed in groups."""
    from_me: bool | None = None
    """Whether the account sent it; false unless given."""

    @model_validator(mode="wrap")
    @classmethod
    def _judge(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401
        unstorable(data)
        try:
            made = handler(data)
        except ValidationError:
            raise bad_reference(data) from None
        by_id = {"message_id", "sender", "from_me"} & made.model_dump(exclude_none=True).keys()
        if "message_id" not in by_id if made.notification is None else by_id:
            raise bad_reference(data)
        return made


def _inner(value: Any, handler: Any) -> Any:  # noqa: ANN401
    """Let the outer content say what is wrong, for it may have something worse."""
    try:
        return handler(value)
    except Refused as error:
        raise ValueError from error


_Reference = Annotated[Ref, WrapValidator(_inner)]


class _Judged(_Strict):
    @model_validator(mode="wrap")
    @classmethod
    def _judge(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401
        unstorable(data)
        try:
            return handler(data)
        except ValidationError as error:
            raise broken(cls.model_fields, data, error) from None


class Text(_Judged):
    """A text message."""

    kind: Literal["text"] = "text"
    text: fields.LongText
    """WhatsApp's marks for *bold*, _italic_ and so on are left to the reader's app."""
    link_preview: bool | None = None
    """Whether the first link is shown with a preview, which is fetched when sending."""
    mentions: fields.Mentions | None = None
    """Users, by number or JID, whom the text names as @digits."""
    quote: _Reference | None = None
    """The message that this one answers."""


class Image(_Judged):
    """A picture."""

    kind: Literal["image"] = "image"
    media: fields.Digest
    """The digest of the stored bytes, as `digest` returns it; the same for all media below."""
    caption: fields.CaptionText | None = None
    mentions: fields.Mentions | None = None
    quote: _Reference | None = None


class Video(_Judged):
    """A film."""

    kind: Literal["video"] = "video"
    media: fields.Digest
    caption: fields.CaptionText | None = None
    mentions: fields.Mentions | None = None
    quote: _Reference | None = None


class Audio(_Judged):
    """A sound file."""

    kind: Literal["audio"] = "audio"
    media: fields.Digest
    quote: _Reference | None = None


class Voice(_Judged):
    """A voice message, shown as if it had been recorded in the chat."""

    kind: Literal["voice"] = "voice"
    media: fields.Digest
    quote: _Reference | None = None


class Document(_Judged):
    """A file of any type."""

    kind: Literal["document"] = "document"
    media: fields.Digest
    filename: fields.FileName
    caption: fields.CaptionText | None = None
    mentions: fields.Mentions | None = None
    quote: _Reference | None = None


class Sticker(_Judged):
    """A sticker."""

    kind: Literal["sticker"] = "sticker"
    media: fields.Digest
    quote: _Reference | None = None


class AlbumItem(_Strict):
    """One of an album's pictures and films; which of the two is the stored media's type to say."""

    media: fields.Digest
    caption: fields.CaptionText | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _judge(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401
        unstorable(data)
        try:
            return handler(data)
        except ValidationError:
            raise bad_item(data) from None


class Album(_Judged):
    """Several pictures and films that are shown together."""

    kind: Literal["album"] = "album"
    items: Annotated[
        tuple[Annotated[AlbumItem, WrapValidator(_inner)], ...],
        Field(strict=False, min_length=fields.ITEMS[0], max_length=fields.ITEMS[1]),
    ]
    mentions: fields.Mentions | None = None
    quote: _Reference | None = None


class Location(_Judged):
    """A place."""

    kind: Literal["location"] = "location"
    latitude: fields.Latitude
    """Degrees, north is positive."""
    longitude: fields.Longitude
    """Degrees, east is positive."""
    name: fields.Name | None = None
    address: fields.Name | None = None
    quote: _Reference | None = None


class Contact(_Judged):
    """A card of somebody's name and number."""

    kind: Literal["contact"] = "contact"
    name: fields.VisibleName
    number: fields.ContactNumber
    """In international form: +44 7700 900123."""
    quote: _Reference | None = None


class Poll(_Judged):
    """A question with options to vote for."""

    kind: Literal["poll"] = "poll"
    question: fields.Question
    options: fields.Options
    selectable: fields.Selectable | None = None
    """How many options a voter may choose: 0 any number, 1 unless given."""
    quote: _Reference | None = None

    @field_validator("selectable")
    @classmethod
    def _no_more_than_options(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and value > len(info.data.get("options", ())):
            raise ValueError
        return value


class Reaction(_Judged):
    """A reaction to a message."""

    kind: Literal["reaction"] = "reaction"
    message: _Reference
    emoji: fields.Emoji
    """One emoji; an empty text takes the reaction back."""


class Edit(_Judged):
    """A new text for a message of ours, which WhatsApp takes for some minutes after sending."""

    kind: Literal["edit"] = "edit"
    message: _Reference
    text: fields.LongText
    mentions: fields.Mentions | None = None


class Revoke(_Judged):
    """The deletion of a message for everyone."""

    kind: Literal["revoke"] = "revoke"
    message: _Reference


Content: TypeAlias = Annotated[
    Text
    | Image
    | Video
    | Audio
    | Voice
    | Document
    | Sticker
    | Album
    | Location
    | Contact
    | Poll
    | Reaction
    | Edit
    | Revoke,
    Field(discriminator="kind"),
]
"""Any content."""

KINDS: dict[str, type[Content]] = {
    model.model_fields["kind"].default: model for model in get_args(get_args(Content)[0])
}
"""The model of each kind."""
