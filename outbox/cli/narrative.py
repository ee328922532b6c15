"""What happened to a notification, and what will, told in plain words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from outbox.cli import wording

if TYPE_CHECKING:
    from outbox.log.notifications import Happened, Shown

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


def told(event: Happened) -> str:
    """Return what an event says, in plain words, with who recorded it."""
    data = event.data
    error = f": {data['error']}" if data.get("error") else ""
    nth = f"attempt {data['attempt']}" if "attempt" in data else ""
    match event.type:
        case "enqueued":
            said = _enqueued(event)
        case "attempt_started":
            said = f"{nth} begins"
        case "sent":
            said = f"{nth} acknowledged by the server"
            if data.get("evidence") == "receipt":
                said = f"{nth} proved by a receipt"
            said += f", message id {data['message_id']}" if data.get("message_id") else ""
        case "attempt_failed":
            said = f"{_failed(nth, str(data.get('class')))}{error}"
            said += f"; retry at {data['retry_at'][11:19]}" if data.get("retry_at") else ""
        case "attempt_unknown":
            said = f"{nth} may have left{error}"
            said += f"; its trace has message id {data['message_id']}" if "message_id" in data else ""
        case "rejected":
            said = f"{nth} refused for good{error}"
        case "delivered" | "read" | "played":
            said = "a device of the recipient says so"
        case "expired":
            said = f"its time was over while it was {data.get('state', 'pending')}"
        case "exhausted":
            said = "no attempt is left"
        case "cancelled" | "requeued":
            said = "by an operator or the application"
            said += f": {data['reason']}" if data.get("reason") else ""
        case _:
            said = json.dumps(data, ensure_ascii=False) if data else ""
    by = _by(event)
    return f"{said}  [{by}]" if by else said


def _enqueued(event: Happened) -> str:
    metadata = {name: value for name, value in event.metadata.items() if name != "epoch"}
    said = "accepted"
    if event.data.get("due_at"):
        said += f", to be sent at {str(event.data['due_at'])[:19].replace('T', ' ')}"
    return said + (f", metadata {json.dumps(metadata, ensure_ascii=False)}" if metadata else "")


def _failed(nth: str, kind: str) -> str:
    return {
        "not_sent": f"{nth} never left, not counted",
        "never_left": f"{nth} left no trace, so it never left",
        "unconfirmed": f"{nth} is taken as lost",
    }.get(kind, f"{nth} failed")


def _by(event: Happened) -> str:
    if event.type == "enqueued" or "epoch" not in event.metadata:
        return ""
    who = wording.worker(event.worker)
    return f"{who + ', ' if who else ''}epoch {event.metadata['epoch']}"
