"""What a session is to the outbox: the port that every implementation fills.

A session is one account's connection to WhatsApp. It is handed attempts and answers with events,
from whatever thread it likes. Every implementation keeps these rules, which `tests/conformance`
states as tests:

1. Each attempt that was handed over ends in exactly one `Outcome`, whatever happens to the
   connection.
2. The outcome is `not_sent` only if no frame of the attempt can have left, and `unknown` if one
   may have.
3. A trace of the attempt (its secret and its message id) is kept, where a killed process cannot
   take it along, before its frame leaves. `trace` therefore proves: no trace, never left.
4. When the connection ends, the outcomes of what was in flight come before the `Transition` that
   says so.
5. Attempts to one recipient leave in the order in which they were handed over.
6. A session that has lost its connection does not build it again by itself: `connect` does, when
   the owner says so.
7. A person's message that is a word of `outbox.session.consent`, and no other, is told as a
   `Consent`: once or more, also if it came while there was no connection.
8. After `close` has returned no event comes any more, and nothing is left running.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from uuid import UUID

TransitionType = Literal[
    "connected",
    "disconnected",
    "replaced",
    "logged_out",
    "banned",
    "outdated",
    "halted",
]
OutcomeType = Literal[
    "sent",
    "not_sent",
    "failed",
    "rejected",
    "unknown",
    "throttled",
    "restricted",
]
"""`throttled`: refused because the account sends too much; no fault of the attempt, so not counted.
`restricted`: refused for good because the account may not write to people it has not talked with.
"""
ReceiptType = Literal["delivered", "read", "played"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to send one notification, durable in the log before the session sees it."""

    notification: UUID
    number: int
    """Counts the attempts of this notification from 1; no number is used twice."""
    jid: str
    content: Mapping[str, Any]
    """The body as it was enqueued; references to other notifications are message ids now."""
    check: bool = False
    """Ask first whether the number has WhatsApp: a stranger's, of which nobody has asked lately."""

    @property
    def secret(self) -> bytes:
        """The 32 bytes by which the attempt's trace is found."""
        return attempt_secret(self.notification, self.number)

    @property
    def digests(self) -> tuple[str, ...]:
        """The digests of the media that the content names: one, or one for each of an album."""
        named = (self.content, *self.content.get("items", ()))
        return tuple(one["media"] for one in named if "media" in one)


def attempt_secret(notification: UUID, number: int) -> bytes:
    """Return the secret of an attempt: SHA-256 over its notification and number."""
    return hashlib.sha256(f"{notification}:{number}".encode()).digest()


@dataclass(frozen=True, slots=True)
class Transition:
    """The connection changed its state."""

    type: TransitionType
    reason: str = ""
    retry_after: float | None = None
    """Seconds until a temporary ban ends, where the server said so."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt."""

    notification: UUID
    number: int
    type: OutcomeType
    message_id: str | None = None
    """WhatsApp's id of the message: always with `sent`, and with `unknown` where it is known."""
    error: str | None = None
    registered: bool | None = None
    """Whether the recipient's number has WhatsApp, where that was asked."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A recipient's device reported on a message."""

    message_id: str
    type: ReceiptType


@dataclass(frozen=True, slots=True)
class Consent:
    """A person wrote a word by which they opt out of the account's messages, or in again."""

    jid: str
    word: str
    """One of `outbox.session.consent`; nothing else that anybody writes is told."""
    opts_out: bool


SessionEvent = Transition | Outcome | Receipt | Consent
Emit = Callable[[SessionEvent], None]
"""Takes an event, from any thread. It may call `send` and `connect`, but not `trace` or `close`."""


@dataclass(frozen=True, slots=True)
class Media:
    """What a digest of a content's media stands for."""

    mime: str
    size: int
    """In bytes."""
    chunks: Iterable[bytes]
    """The bytes in their order, read when they are asked for, once. Raises like what fetches them:
    KeyError if they are erased meanwhile, ConnectionError if they are not to be had now."""


class Session(Protocol):
    """One account's connection. Its methods are called by one thread at a time."""

    @property
    def capacity(self) -> int:
        """How many attempts it takes before an outcome is due."""

    @property
    def is_paced(self) -> bool:
        """Whether messages have to be paced: people and their operator are on the other side."""

    def connect(self) -> None:
        """Begin to connect; a `Transition` tells how it went.

        Does nothing while connected or connecting.
        """

    def send(self, attempts: Sequence[Attempt]) -> None:
        """Take these attempts and return soon; without a connection each ends as `not_sent`.

        Those beyond `capacity` wait. Media are fetched by the caller's thread or one of the
        session's: what was erased ends as `rejected`, what cannot be fetched now as `not_sent`. An
        attempt that is not acknowledged in time ends as `unknown`; the connection stays, or ends.
        """

    def trace(self, attempts: Sequence[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], str]:
        """Return the message id of each of these attempts that left a trace; needs a connection.

        Raises:
            ConnectionError: the trace could not be read, which proves nothing.
        """

    def close(self) -> None:
        """End the connection within ten seconds, the outcomes of what is in flight first.

        The session is of no more use then; closing it again does nothing.
        """


class OpenSession(Protocol):
    """Makes an account's session.

    `media` fetches by digest. It raises KeyError for what has been erased, and ConnectionError for
    what is not to be had now.
    """

    def __call__(self, account: str, emit: Emit, media: Callable[[str], Media]) -> Session:
        """Make the session; it does nothing until `connect`."""
