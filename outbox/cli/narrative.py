"""What happened to a notification, and what will, told in plain words."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from outbox.cli import wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outbox.log.follow import Event
    from outbox.log.notifications import Shown

EVENT_STYLES = {
    "sent": "green",
    "delivered": "green",
    "read": "green",
    "played": "green",
    "attempt_failed": "yellow",
    "attempt_unknown": "yellow",
    "rejected": "red",
    "expired": "red",
    "exhausted": "red",
    "cancelled": "red",
}
"""How an event's type looks in a timeline."""

CONNECTIONS = {
    "lease_acquired": "a worker owns the account",
    "lease_released": "its worker gave the account back",
    "lease_lost": "its worker did not renew the lease in time",
    "connecting": "a connection is built",
    "pairing_offered": "a code waits to be scanned",
    "paired": "the account is linked",
    "connected": "the connection stands",
    "disconnected": "the connection is lost",
    "reconnect_scheduled": "next try",
    "logged_out": "the account was unlinked and has to be paired again",
    "replaced": "another client took the connection",
    "banned": "WhatsApp has banned the account",
    "outdated": "WhatsApp wants a newer client",
    "halted": "no more tries until: outbox resume",
    "resumed": "an operator let it connect again",
    "draining": "its worker is stopping",
}
"""What the events of a connection's stream say."""

LONGEST = 200
"""Characters of a body that are shown."""


def content(shown: Shown) -> str:
    """Return what is sent: the beginning of its text, its media by type and size."""
    body = shown.body
    if body is None:
        return f"(erased), digest {shown.digest}"
    kind = str(body.get("kind"))
    media = ""
    if "media" in body:
        media = f" {shown.mime}, {wording.size(shown.size)}" if shown.size and shown.mime else ""
        media = media or " (its media were erased)"
    said = body.get("text") or body.get("caption") or body.get("question") or body.get("name")
    if said is None:
        rest = {name: value for name, value in body.items() if name not in {"kind", "media"}}
        said = json.dumps(rest, ensure_ascii=False) if rest else ""
    else:
        said = f"“{shortened(str(said))}”"
    return f"{kind}{media}{': ' if said else ''}{shortened(said, LONGEST + 2)}"


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return a text on one line, cut where it is too long to look at."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def meaning(shown: Shown) -> str:
    """Return what the notification's state means for it."""
    error = f": {shown.last_error}" if shown.last_error else ""
    attempts = wording.number(shown.attempts, "attempt")
    match shown.state:
        case "pending" if shown.failures:
            return f"{shown.failures} of {shown.max_attempts} attempts failed{error}"
        case "pending":
            return "in the queue" if not shown.attempts else f"back in the queue{error}"
        case "sending":
            return f"handed to the session in attempt {shown.attempts}, no answer yet"
        case "unknown":
            return f"attempt {shown.attempts} may have left or not{error}"
        case "sent":
            return "the server has acknowledged it"
        case "delivered":
            return "it is on the recipient's phone"
        case "read":
            return "the recipient has read it"
        case "played":
            return "the recipient has played it"
        case "rejected":
            return f"refused for good{error}"
        case "expired":
            return f"not sent in time ({attempts}){error}"
        case "exhausted":
            return f"gave up after {shown.failures} failures in {attempts}{error}"
        case "cancelled":
            return "withdrawn before it was sent"
        case _:
            return shown.state


def next_step(shown: Shown) -> str:
    """Return what will happen next, and when; or what an operator can do."""
    now = shown.now
    if shown.state in {"rejected", "expired", "exhausted", "cancelled"}:
        return f"nothing by itself; to try again: outbox requeue {shown.id}"
    if shown.state == "unknown":
        if shown.on_unknown == "hold":
            return (
                f"held for you: outbox requeue {shown.id} sends it again, "
                f"outbox cancel {shown.id} gives it up; a receipt settles it, too"
            )
        return (
            f"a receipt settles it; without one it is sent again after "
            f"{wording.seconds(shown.grace)} of connection"
        )
    if shown.state == "sending":
        return "the session's answer; if its worker is lost, the outcome is looked for"
    if shown.state != "pending":
        return ""
    return _next_attempt(shown) + f"; expires {wording.when(shown.expires_at, now)}"


def _next_attempt(shown: Shown) -> str:
    now = shown.now
    if not shown.owned:
        return (
            f"waits for a worker: none owns account {shown.account}; "
            f"run: outbox worker --account {shown.account}"
        )
    if shown.connection_state != "connected":
        again = f", next try {wording.when(shown.reconnect_at, now)}" if shown.reconnect_at else ""
        return f"waits for the connection of account {shown.account}{again}"
    waits = [shown.due_at] if shown.deferred else []
    if shown.recipient_retry_at is not None:
        waits.append(shown.recipient_retry_at)
    later = max((moment for moment in waits if moment > now), default=None)
    if later is not None:
        return f"next attempt at {wording.when(later, now)}"
    return "next attempt as soon as its turn comes"


def options(shown: Shown) -> str:
    """Return what was asked for at its enqueueing."""
    parts = [
        f"priority {shown.priority}",
        f"at most {wording.number(shown.max_attempts, 'failure')}",
        "at least once" if shown.on_unknown == "resend" else "at most once",
    ]
    if shown.message_id:
        parts.append(f"message id {shown.message_id}")
    return ", ".join(parts)


class Fact(Protocol):
    """An event, wherever it was read."""

    @property
    def type(self) -> str:
        """What happened, in the past tense."""

    @property
    def data(self) -> Mapping[str, Any]:
        """What the projections need to know of it."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Who appended it."""


def told(event: Fact, worker: object = None) -> str:
    """Return what an event says, in plain words, with who recorded it.

    Args:
        event: The event.
        worker: What the worker of its epoch says of itself, where that is known.
    """
    said = _of_connection(event) if event.type in CONNECTIONS else _of_notification(event)
    if event.type == "enqueued" or "epoch" not in event.metadata:
        return said
    who = wording.worker(worker)
    return f"{said}  [{who + ', ' if who else ''}epoch {event.metadata['epoch']}]"


def _of_notification(event: Fact) -> str:
    data = event.data
    error = f": {data['error']}" if data.get("error") else ""
    reason = f": {data['reason']}" if data.get("reason") else ""
    nth = f"attempt {data['attempt']}" if "attempt" in data else ""
    match event.type:
        case "enqueued":
            return _enqueued(event)
        case "attempt_started":
            return f"{nth} begins"
        case "sent":
            proof = "proved by a receipt" if data.get("evidence") else "acknowledged by the server"
            return f"{nth} {proof}{_id(data, ', message id ')}"
        case "attempt_failed":
            retry = f"; retry at {_local(data['retry_at'])}" if data.get("retry_at") else ""
            return f"{_failed(nth, str(data.get('class')))}{error}{retry}"
        case "attempt_unknown":
            return f"{nth} may have left{error}{_id(data, '; its trace has message id ')}"
        case "rejected":
            return f"{nth} refused for good{error}"
        case "delivered" | "read" | "played":
            return "says a device of the recipient"
        case "expired":
            return f"its time was over while it was {data.get('state', 'pending')}"
        case "exhausted":
            return "no attempt is left"
        case "cancelled":
            return f"withdrawn{reason}"
        case "requeued":
            return f"a new start, expires at {_local(data['expires_at'])}{reason}"
        case _:
            return json.dumps(data, ensure_ascii=False) if data else ""


def _of_connection(event: Fact) -> str:
    data = event.data
    said = CONNECTIONS[event.type]
    if event.type == "lease_acquired":
        return f"{wording.worker(event.metadata) or data.get('owner')} owns the account, epoch {data.get('epoch')}"
    if data.get("reconnect_at"):
        said += f" at {_local(data['reconnect_at'])}"
    if data.get("until"):
        said += f" until {_local(data['until'])}"
    if data.get("reason"):
        said += f": {data['reason']}"
    return said


def document(event: Event) -> dict[str, Any]:
    """Return an event of the log as JSON has it."""
    return asdict(event)


def _enqueued(event: Fact) -> str:
    said = "accepted"
    if event.data.get("due_at"):
        said += f", to be sent at {_local(event.data['due_at'])}"
    own = dict(event.metadata)
    return said + (f", metadata {json.dumps(own, ensure_ascii=False)}" if own else "")


def _failed(nth: str, kind: str) -> str:
    return {
        "not_sent": f"{nth} never left, not counted",
        "never_left": f"{nth} left no trace, so it never left",
        "unconfirmed": f"{nth} is taken as lost",
    }.get(kind, f"{nth} failed")


def _id(data: Mapping[str, Any], words: str) -> str:
    return f"{words}{data['message_id']}" if data.get("message_id") else ""


def _local(moment: str) -> str:
    """Return a moment that an event states, in the reader's time zone."""
    return wording.clock(datetime.fromisoformat(moment))
