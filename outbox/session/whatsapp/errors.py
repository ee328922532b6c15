"""The error tables: what whatsmeow and WhatsApp say of a message, and what it means.

The first row whose pattern is found holds. What no row matches is `unknown`: a message that may
have left is never sent again by a guess. Where the words come from stands in each row: files are
whatsmeow's, "seen" is what neonize 0.5.2 said when it was tried. The numbers in an acknowledgement
are WhatsApp's, which documents none of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from outbox.session.port import OutcomeType


class Row(NamedTuple):
    """A row of the table."""

    pattern: str
    """A regular expression, found anywhere in the error."""
    type: OutcomeType
    why: str
    source: str


BEFORE: tuple[Row, ...] = (
    Row(
        r"^client is nil",
        "not_sent",
        "there is no client",
        "errors.go ErrClientIsNil; seen",
    ),
    Row(
        r"the store doesn't contain a device JID",
        "not_sent",
        "the account is not logged in",
        "errors.go ErrNotLoggedIn",
    ),
    Row(
        r"websocket disconnected before info query|info query timed out"
        r"|failed to .*: .*websocket not connected",
        "not_sent",
        "the connection was lost while something was asked for the message",
        "request.go sendIQ; seen",
    ),
    Row(
        r"info query returned status 429",
        "throttled",
        "too many questions; often it is they and not the messages",
        "errors.go ErrIQRateOverLimit; Baileys#1261",
    ),
    Row(
        r"no LID found for .* from server",
        "rejected",
        "WhatsApp knows nobody of this number",
        "send.go SendMessage",
    ),
    Row(
        r"can't send message to unknown server|must be a user JID with no device part"
        r"|sending to non-status broadcast lists|can't set disappearing time",
        "rejected",
        "this address takes no messages",
        "errors.go ErrUnknownServer, ErrRecipientADJID, ErrBroadcastListUnsupported; seen",
    ),
    Row(
        r"you're not participating in that group|that group does not exist",
        "rejected",
        "the account is no member of the group",
        "errors.go ErrNotInGroup, ErrGroupNotFound",
    ),
    Row(
        r"failed to marshal message",
        "rejected",
        "this is no message",
        "send.go",
    ),
    Row(
        r"failed to get (?:group members|broadcast list members|device list|LID|user info)"
        r"|failed to fetch LID mappings|failed to prefetch sessions|failed to process prekey bundle"
        r"|no signal session established|failed to encrypt|cipher encryption failed"
        r"|failed to (?:create|marshal) sender key|failed to save cached sessions"
        r"|failed to clear untrusted identity",
        "failed",
        "the recipient's devices or keys could not be had",
        "send.go",
    ),
    Row(
        r"failed to refresh media connections|failed to prepare request|failed to execute request"
        r"|upload failed with status|failed to parse upload response",
        "failed",
        "what the message carries could not be uploaded",
        "upload.go",
    ),
)
"""What is said before a frame: whatsmeow asks for devices and keys first, and uploads."""
AFTER: tuple[Row, ...] = (
    Row(
        r"server returned error 429\b",
        "throttled",
        "too many messages: the account pauses, and the message is none the worse",
        "send.go ErrServerReturnedError; seen",
    ),
    Row(
        r"server returned error 463\b",
        "restricted",
        "no talking to strangers for now; to insist gets accounts banned",
        "send.go ErrServerReturnedError; seen; Baileys#2441, #2688",
    ),
    Row(
        r"server returned error 479\b",
        "failed",
        "the recipient's devices or address had changed; whatsmeow asks anew",
        "send.go ErrServerReturnedError; seen",
    ),
    Row(
        r"server returned error 4(?:0[0-9]|1[0-9]|20)\b",
        "rejected",
        "the server will not take this message to this recipient",
        "send.go ErrServerReturnedError",
    ),
    Row(
        r"server returned error \d+",
        "failed",
        "refused for now, or for a reason that nobody knows: once more, later",
        "send.go ErrServerReturnedError",
    ),
    Row(
        r"timed out waiting for message send response",
        "unknown",
        "no acknowledgement within whatsmeow's 75 seconds",
        "errors.go ErrMessageTimedOut; seen",
    ),
    Row(
        r"websocket disconnected before message send",
        "unknown",
        "the connection was lost between the frame and its acknowledgement",
        "request.go retryFrame",
    ),
    Row(
        r"failed to send message node",
        "unknown",
        "the connection broke while the frame was written",
        "send.go sendDM, sendGroup",
    ),
)
"""What is said when a frame may have left; what the server refused it shows to nobody."""
UNMATCHED: OutcomeType = "unknown"

_LOST = re.compile(r"websocket (?:not connected|disconnected)|client is nil")
_ADDRESS = re.compile(r"\+?\d{5,}(?:[.:]\d+)*@[a-z.]+|\+?\d{7,}")


def classify(error: str) -> OutcomeType:
    """Return what an error of sending means for the attempt."""
    return next((row.type for row in BEFORE + AFTER if re.search(row.pattern, error)), UNMATCHED)


def classify_prepared(error: str) -> OutcomeType:
    """Return the same for an error that came before the message was handed to whatsmeow.

    So no frame can have left, whatever it was.
    """
    kind = classify(error)
    if kind == "unknown":
        return "not_sent" if _LOST.search(error) else "failed"
    return kind


def without_numbers(error: str) -> str:
    """Return an error as the log may keep it for ever: without addresses and phone numbers."""
    return _ADDRESS.sub("…", error)
