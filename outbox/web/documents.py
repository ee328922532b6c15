"""What the API answers, as models: the names are those of `outbox … --json` and of the tables."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

State = Literal[
    "pending",
    "sending",
    "unknown",
    "sent",
    "delivered",
    "read",
    "played",
    "rejected",
    "expired",
    "exhausted",
    "cancelled",
]


class _Document(BaseModel):
    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class Accepted(_Document):
    """A notification that is not lost any more."""

    id: UUID
    url: str
    """Where its state is to be seen."""


class Batch(_Document):
    """Notifications that were accepted together, in the order given."""

    notifications: list[Accepted]


class Outcome(Accepted):
    """A notification and its state when last seen."""

    state: State
    message_id: str | None
    """WhatsApp's, once an attempt has one."""
    last_error: str | None


class Changed(Accepted):
    """A notification whose state was changed by this request."""

    state: State


class _Standing(_Document):
    id: UUID
    account: str
    jid: str | None
    """None when the recipient has been erased."""
    state: State
    priority: int
    enqueued_at: datetime
    due_at: datetime
    expires_at: datetime
    changed_at: datetime
    sent_at: datetime | None
    attempts: int
    failures: int
    max_attempts: int
    deferred: bool
    on_unknown: Literal["resend", "hold"]
    message_id: str | None
    last_error: str | None


class Listed(_Standing):
    """A notification in a list."""

    kind: str | None
    """None when the content has been erased."""
    items: int | None
    """How many an album has."""


class Page(_Document):
    """Notifications, the newest first."""

    notifications: list[Listed]
    next: str | None
    """The URL of the next page; None at the end."""


class Event(_Document):
    """Something that befell a notification."""

    version: int
    recorded_at: datetime
    type: str
    data: dict[str, Any]
    metadata: dict[str, Any]
    """The caller's own; `token` names the token that caused it."""


class Shown(_Standing):
    """A notification, what it is and what befell it."""

    body: dict[str, Any] | None
    """What is sent; None when the content has been erased."""
    mime: str | None
    size: int | None
    """Bytes of its media."""
    events: list[Event]


class Account(_Document):
    """Where an account stands."""

    account: str
    state: str
    """Its connection's."""
    reason: str | None
    failures: int
    reconnect_at: datetime | None
    connected_at: datetime | None
    changed_at: datetime | None
    owned: bool
    """A worker holds it."""
    lapsed: bool
    """Its worker fell silent, and none has followed yet."""
    epoch: int
    pending: int
    due: int
    """Those of the pending that could be sent now."""
    sending: int
    unknown: int
    held: int
    """Those of the unknown that wait for an operator."""
    oldest: datetime | None
    """When the oldest that is not sent was enqueued."""
    oldest_due_at: datetime | None
    """Since when the one has been due that has waited for its attempt for the longest."""
    next_due_at: datetime | None
    waiting_recipients: int
    dead: dict[str, int]
    """What ended without success, by state."""
    paced: bool
    messages_a_minute: float
    strangers_a_day: int
    next_send_at: datetime | None
    next_send_reason: str | None
    strangers_left: int | None
    next_stranger_at: datetime | None
    next_stranger_reason: str | None
    last_sent_at: datetime | None


class Accounts(_Document):
    """Every account, at one moment."""

    now: datetime
    """The database's time."""
    accounts: list[Account]


class Pairing(_Document):
    """Where the pairing of an account stands in this process, or how its latest has ended."""

    account: str
    standing: Literal[
        "none",
        "elsewhere",
        "starting",
        "showing",
        "paired",
        "refused",
        "timed_out",
        "stopped",
    ]
    """`elsewhere`: another process pairs or unpairs the account at this moment."""
    kind: Literal["qr", "code"] | None = None
    """What is to be shown: a QR code, or a code to type into the phone."""
    code: str | None = None
    """What the QR code encodes, or what is to be typed."""
    seconds_left: int | None = None
    """Until it ends of itself."""
    jid: str | None
    """Of the device with which the account is paired; None if it has to be paired."""
    reason: str | None = None
    """Why it was refused."""


class Recipient(_Document):
    """A recipient of an account."""

    account: str
    id: UUID
    """Stands for the recipient in the log."""
    jid: str | None
    """None when the recipient has been erased."""
    failures: int
    """In a row, over all notifications."""
    failed_attempts: int
    """Ever."""
    retry_at: datetime | None
    """Nothing is sent before."""
    last_error: str | None
    first_sent_at: datetime | None
    registered: bool | None
    """Whether the number has WhatsApp; None if nobody has asked."""
    checked_at: datetime | None
    suppressed_at: datetime | None
    """Since when nothing is sent to them; None if it may be."""
    suppressed_because: str | None


class Suppression(_Document):
    """A recipient who is not to be written to."""

    recipient: UUID
    """Stands for them in the log."""
    jid: str | None
    account: str
    """By whom; `*` stands for all accounts."""
    suppressed_at: datetime
    reason: str | None


class Suppressed(_Document):
    """A person is not written to any more."""

    cancelled: int
    """Notifications that were pending or of unknown outcome."""
    suppressions: list[Suppression]
    """All that hold for the person."""


class Unsuppressed(_Document):
    """A person may be written to again, unless other suppressions hold."""

    lifted: int
    """How many suppressions have ended."""
    suppressions: list[Suppression]
    """Those that still hold."""


class Forgotten(_Document):
    """What has been erased of a person."""

    cancelled: int
    """Notifications that were pending or of unknown outcome."""
    contents: int
    media: int
    keys: int
    """Idempotency keys."""
    whatsapp: int
    """Rows of whatsmeow's tables."""
    named_elsewhere: int
    """Bodies for others in which the number is still written."""


class Recipients(_Document):
    """Recipients, in the order of their ids."""

    recipients: list[Recipient]
    next: str | None
    """The URL of the next page; None at the end."""


class Webhook(_Document):
    """A webhook without its secret, and where it stands."""

    name: str
    url: str
    events: list[str]
    """The types of event that it is told of; none means all."""
    account: str | None
    """The account of whose events it is told; None means all."""
    created_at: datetime
    state: Literal["enabled", "failing", "disabled"]
    position: int | None
    """Of the first event that it has not been told of; None if there is none."""
    behind: int
    """How many positions have been given out since that one; at least as many as are to come."""
    behind_seconds: float
    """How old the event at that position is."""
    moved_at: datetime | None
    """When it last came further."""
    failures: int
    """In a row."""
    failing_since: datetime | None
    retry_at: datetime | None
    last_error: str | None
    disabled_at: datetime | None
    disabled_because: str | None


class Webhooks(_Document):
    """Every webhook, by name."""

    webhooks: list[Webhook]


class NewWebhook(Webhook):
    """A webhook that has just been made."""

    secret: str
    """What its requests are signed with; no other answer has it."""


class Tried(_Document):
    """What came of a test event."""

    name: str
    id: str
    """The request's webhook-id."""
    status: int | None
    """What the receiver answered; None if nothing."""
    error: str | None
    """Why it has not been delivered; None if it has."""


class Alive(_Document):
    """The process answers."""

    status: Literal["alive"]


class Ready(_Document):
    """The database answers, and its schema is one that this release works with."""

    status: Literal["ready"]
    revision: str
