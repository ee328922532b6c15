"""What the report of an incident is made of: a class for each thing that a period is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from uuid import UUID

    from outbox.log.history import Span

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """The first of several rows."""

    rows: list[T]
    total: int

    @property
    def left_out(self) -> int:
        """How many are not among them."""
        return self.total - len(self.rows)


@dataclass(frozen=True, slots=True)
class Step:
    """What happened within one step of time."""

    at: datetime
    """When it began."""
    open_before: int
    """Notifications that had not ended when the period began."""
    enqueued: int
    started: int
    """Attempts."""
    sent: int
    failed: int
    """Attempts, made again or not."""
    doubted: int
    """Attempts that may have left."""
    dead: int
    """Notifications that ended without success."""
    open: int
    """Notifications that had not ended at its end."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time during which a connection that had stood did not."""

    account: str
    began_at: datetime
    ended_at: datetime | None
    """None while it lasts."""
    duration: timedelta
    cause: str
    """The type of the event that it began with."""
    reason: str | None
    held_up: int
    median_late: timedelta | None
    longest_late: timedelta | None


@dataclass(frozen=True, slots=True)
class Held:
    """How much of an account's was held up by outages, and how late it came."""

    account: str
    notifications: int
    recipients: int
    erased: int
    """Recipients of those who have been erased since."""
    sent: int
    dead: int
    waiting: int
    """Notifications that have not ended to this day."""
    median_late: timedelta
    longest_late: timedelta


@dataclass(frozen=True, slots=True)
class Late:
    """A notification that an outage held up."""

    account: str
    notification: UUID
    jid: str | None
    """None once the recipient has been erased, here and below."""
    outage: datetime
    """When that began."""
    due_at: datetime
    became: str | None
    became_at: datetime | None
    late: timedelta


@dataclass(frozen=True, slots=True)
class Affected:
    """A recipient whose notifications did not go as they should."""

    account: str
    jid: str | None
    held_up: int
    longest_late: timedelta | None
    failed: int
    """Attempts, as the next two."""
    rejected: int
    doubted: int
    lost: int
    """Notifications that ended without success."""
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that went wrong, once or often."""

    account: str
    type: str
    class_: str | None
    """Of a failed attempt, whether it counts; of what expired, what ended the connection."""
    error: str
    """Without the ids and numbers that make each its own."""
    times: int
    notifications: int
    in_outage: int
    """How many of these times fall into an outage."""
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Loss:
    """A notification that ended without success."""

    account: str
    notification: UUID
    jid: str | None
    state: str
    ended_at: datetime
    reason: str | None
    """That was given for withdrawing it."""
    error: str | None
    """The first that it met."""
    outage_cause: str | None
    """Where an outage came before any error: the event that it began with."""
    outage_reason: str | None
    requeued: bool
    """Whether it was given a new start since."""


@dataclass(frozen=True, slots=True)
class Dead:
    """How much of an account's ended without success in one state."""

    account: str
    state: str
    notifications: int
    requeued: int


@dataclass(frozen=True, slots=True)
class Doubled:
    """A notification that may have reached its recipient twice."""

    account: str
    notification: UUID
    jid: str | None
    first_message_id: str | None
    doubted_at: datetime
    doubt: str | None
    decided_at: datetime
    reason: str | None
    second_message_id: str | None
    sent_again_at: datetime


@dataclass(frozen=True, slots=True)
class Doubt:
    """A notification that is still in doubt."""

    account: str
    notification: UUID
    jid: str | None
    held: bool
    """For an operator, who alone decides."""
    since: datetime
    error: str | None


@dataclass(frozen=True, slots=True)
class Restart:
    """A worker that took an account over from another one."""

    account: str
    at: datetime
    epoch: int
    worker: str | None
    release: str | None
    earlier_worker: str | None
    earlier_release: str | None
    earlier_end: str | None
    """The type of the event with which that one's lease ended."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An event of a connection that a timeline shows."""

    recorded_at: datetime
    account: str
    type: str
    data: dict[str, Any]
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deeds:
    """What somebody did, once or often."""

    account: str
    kind: str
    """A token or a person."""
    who: str
    type: str
    events: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """A period of the log, as it looks from now."""

    since: datetime
    until: datetime
    """Not included; not beyond `now`."""
    now: datetime
    account: str | None
    """None: all of them."""
    events: int
    accounts: frozenset[str]
    """Whose events those are."""
    step: timedelta
    steps: list[Step]
    bands: list[Span]
    outages: list[Outage]
    held: list[Held]
    late: Listed[Late]
    recipients: Listed[Affected]
    causes: Listed[Cause]
    losses: Listed[Loss]
    dead: list[Dead]
    doubled: Listed[Doubled]
    doubts: Listed[Doubt]
    restarts: Listed[Restart]
    marks: Listed[Mark]
    deeds: Listed[Deeds]

    @property
    def open_at_most(self) -> int:
        """The most notifications that were open at the beginning or at the end of a step."""
        return max(self.steps[0].open_before, *(step.open for step in self.steps))
