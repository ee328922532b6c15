"""Notifications that were enqueued within a span of the caller's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from outbox.log.database import query

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from outbox.log.database import Connection


@dataclass(slots=True)
class Traced:
    """When what befell a notification that belongs to a trace."""

    traceparent: str
    """The span that enqueued it, as W3C writes it."""
    enqueued_at: datetime
    started_at: dict[int, datetime] = field(default_factory=dict)
    """By the number of the attempt."""
    sent_at: datetime | None = None


def traced(connection: Connection, streams: Iterable[UUID]) -> dict[UUID, Traced]:
    """Return those of some streams that are notifications of a trace."""
    found: dict[UUID, Traced] = {}
    rows = connection.execute(query("traced"), {"streams": [*streams]}, prepare=False)
    for stream, traceparent, type_, attempt, at in rows:
        match type_:
            case "enqueued":
                found[stream] = Traced(traceparent, at)
            case "attempt_started":
                found[stream].started_at[attempt] = at
            case _:
                found[stream].sent_at = at
    return found
