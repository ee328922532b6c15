"""What happened to a notification, and what will, told in plain words."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from outbox.words import wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from outbox.log.follow import Event
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
    "halted": "no more tries for now",
    "resumed": "an operator let it connect again",
    "draining": "its worker is stopping",
    "throttled": "WhatsApp has the account wait: it sends too much",
    "restricted": "WhatsApp lets the account write to no strangers",
}
"""What the events of a connection's stream say."""

RECIPIENTS = ("suppressed", "unsuppressed", "forgotten")
"""The types of event of a recipient's stream."""

_NOT_SAID = frozenset({"kind", "media", "items"})
"""What of a body is told otherwise."""
LONGEST = 200
"""Characters of a body that are shown."""


def away(shown: Shown, events: Sequence[Happened]) -> str:
    """Say how many events are in the database no more; nothing if all are there."""
    earlier = (events[0].version if events else shown.version + 1) - 1
    if not earlier:
        return ""
    lie = "lies" if earlier == 1 else "lie"
    return f"{wording.number(earlier, 'earlier event')} {lie} in an archive: outbox archive list"


def content(shown: Shown) -> str:
    """Return what is sent: the beginning of its text, its media by type and size."""
    body = shown.body
    if body is None:
        return f"(erased), digest {shown.digest}"
    media = ""
    if {"media", "items"} & body.keys():
        erased = "its media were erased" if "media" in body else "of its media some were erased"
        type_ = f" {shown.mime}" if shown.mime else ""
        media = f"{type_}, {wording.size(shown.size)}" if shown.size else f" ({erased})"
    said = words(body)
    if said is None:
        rest = {name: value for name, value in body.items() if name not in _NOT_SAID}
        said = json.dumps(rest, ensure_ascii=False) if rest else ""
    else:
        said = f"“{shortened(str(said))}”"
    return f"{kind(body)}{media}{': ' if said else ''}{shortened(said, LONGEST + 2)}"


def kind(body: Mapping[str, Any]) -> str:
    """Return the kind of a body, and of an album how many items it has."""
    name = str(body.get("kind"))
    return f"{name} of {len(body['items'])}" if "items" in body else name


def words(body: Mapping[str, Any]) -> str | None:
    """Return what a body says in words, if it does."""
    said = (body.get(name) for name in ("text", "caption", "question", "name"))
    captions = (item.get("caption") for item in body.get("items", ()))
    return next(filter(None, (*said, *captions)), None)


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return a text on one line, cut where it is too long to look at."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def meaning(shown: Shown) -> str:
    """Return what the notification's state means for it."""
    error = f": {shown.last_error}" if shown.last_error else ""
    attempts = wording.number(shown.attempts, "attempt")
    if shown.state == "pending" and shown.failures:
        return f"{shown.failures} of {shown.max_attempts} attempts failed{error}"
    if shown.state == "pending" and shown.attempts:
        return f"back in the queue{error}"
    return {
        "pending": "in the queue",
        "sending": f"handed to the session in attempt {shown.attempts}, no answer yet",
        "unknown": f"attempt {shown.attempts} may have left or not{error}",
        "sent": "the server has acknowledged it",
        "delivered": "it is on the recipient's phone",
        "read": "the recipient has read it",
        "played": "the recipient has played it",
        "rejected": f"refused for good{error}",
        "expired": f"not sent in time, after {attempts}{error}",
        "exhausted": f"given up after {shown.failures} failures in {attempts}{error}",
        "cancelled": "withdrawn before it was sent",
    }.get(shown.state, shown.state)


def next_step(shown: Shown) -> str:
    """Return what will happen next, and when; or what an operator can do."""
    now = shown.now
    if shown.state in {"rejected", "expired", "exhausted", "cancelled"}:
        return f"nothing by itself; to try again: outbox requeue {shown.id}"
    if shown.state == "unknown":
        return _settling(shown)
    if shown.state == "sending":
        return "the session's answer; if its worker is lost, the outcome is looked for"
    if shown.state != "pending":
        return ""
    return _next_attempt(shown) + f"; expires {wording.when(shown.expires_at, now)}"


def _settling(shown: Shown) -> str:
    is_album = shown.body is not None and shown.body.get("kind") == "album"
    if shown.on_unknown == "hold":
        return (
            f"held for you: outbox requeue {shown.id} sends it again, "
            f"outbox cancel {shown.id} gives it up"
            + ("" if is_album else "; a receipt settles it, too")
        )
    proof = (
        "no receipt proves that all of it arrived:"
        if is_album
        else "a receipt settles it; without one"
    )
    return f"{proof} it is sent again after {wording.seconds(shown.grace)} of connection"


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


def told(event: Fact) -> str:
    """Return what an event says, in plain words."""
    return _of_connection(event) if event.type in CONNECTIONS else _of_notification(event)


def _of_notification(event: Fact) -> str:
    data = event.data
    nth = f"attempt {data.get('attempt')}"
    error = f": {data['error']}" if data.get("error") else ""
    reason = f": {data['reason']}" if data.get("reason") else ""
    proof = "proved by a receipt" if data.get("evidence") else "acknowledged by the server"
    return {
        "enqueued": _enqueued(event),
        "attempt_started": f"{nth} begins",
        "sent": f"{nth} {proof}{_value(', message id', data, 'message_id')}",
        "attempt_failed": f"{_failed(nth, data)}{error}{_value('; retry at', data, 'retry_at')}",
        "attempt_unknown": f"{nth} may have left{error}"
        + _value("; its trace has message id", data, "message_id"),
        "rejected": f"{nth} refused for good{error}",
        "delivered": "it is on the recipient's phone",
        "read": "the recipient has read it",
        "played": "the recipient has played it",
        "expired": f"its time was over while it was {data.get('state', 'pending')}",
        "exhausted": "no attempt is left",
        "cancelled": f"withdrawn{reason}",
        "requeued": f"a new start{_value(', expires at', data, 'expires_at')}{reason}",
        "suppressed": f"recipient {data.get('recipient')} is not to be written to{reason}",
        "unsuppressed": f"recipient {data.get('recipient')} may be written to again{reason}",
        "forgotten": f"recipient {data.get('recipient')} has been erased{reason}",
    }.get(event.type, json.dumps(data, ensure_ascii=False) if data else "")


def _of_connection(event: Fact) -> str:
    data = event.data
    if event.type == "lease_acquired":
        owner = wording.worker(event.metadata) or data.get("owner")
        return f"{owner} owns the account, epoch {data.get('epoch')}"
    said = CONNECTIONS[event.type]
    said += _value(" at", data, "reconnect_at") + _value(" until", data, "until")
    return said + (f": {data['reason']}" if data.get("reason") else "")


def document(event: Event) -> dict[str, Any]:
    """Return an event of the log as JSON has it."""
    found = event._asdict()
    del found["data_json"], found["metadata_json"]
    return found | {"data": event.data, "metadata": event.metadata}


def _enqueued(event: Fact) -> str:
    said = "accepted" + _value(", to be sent at", event.data, "due_at")
    own = dict(event.metadata)
    return said + (f", metadata {json.dumps(own, ensure_ascii=False)}" if own else "")


def _failed(nth: str, data: Mapping[str, Any]) -> str:
    return {
        "not_sent": f"{nth} never left, not counted",
        "throttled": f"{nth} was refused because the account sends too much, not counted",
        "never_left": f"{nth} left no trace, so it never left",
        "unconfirmed": f"{nth} is taken as lost",
    }.get(str(data.get("class")), f"{nth} failed")


def _value(words: str, data: Mapping[str, Any], name: str) -> str:
    """Return a value of an event behind some words, if it has it; moments in local time."""
    value = data.get(name)
    if value is None:
        return ""
    return f"{words} {value if name == 'message_id' else _local(str(value))}"


def _local(moment: str) -> str:
    return wording.clock(datetime.fromisoformat(moment))
