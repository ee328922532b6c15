"""Spans of what befell notifications, with the times of the log.

Each is a child of the span that enqueued the notification: `outbox attempt` from the start of an
attempt to its outcome, `outbox settlement` from there to what settled an unknown one, `outbox
receipt` from the acknowledgement to the receipt, `outbox end` where it ended without success. Their
ids are made of their events, so that a span that is told twice is the same span. No attribute is a
number, a JID or an error's text.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from outbox.release import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from opentelemetry.sdk.trace import ReadableSpan

    from outbox.log.follow import Event
    from outbox.log.traced import Traced

_OUTCOMES: Final = frozenset({"sent", "attempt_failed", "attempt_unknown", "rejected"})
_RECEIPTS: Final = frozenset({"delivered", "read", "played"})
_ENDS: Final = frozenset({"expired", "exhausted", "cancelled"})
TOLD: Final = _OUTCOMES | _RECEIPTS | _ENDS
"""Types of event that end a span."""
_FAILED: Final = frozenset({"attempt_failed", "rejected", "expired", "exhausted"})
_SETTLED: Final = frozenset({"never_left", "unconfirmed"})


class Spans:
    """Makes spans of events."""

    def __init__(self) -> None:
        # Whoever sets OTEL_SERVICE_NAME names it otherwise.
        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: "outbox"}
        self._ids = _Ids()
        self._made = InMemorySpanExporter()
        provider = TracerProvider(
            resource=Resource.create(named), id_generator=self._ids, shutdown_on_exit=False
        )
        provider.add_span_processor(SimpleSpanProcessor(self._made))
        self._tracer = provider.get_tracer("outbox", VERSION)
        self._parents = TraceContextTextMapPropagator()

    def of(self, events: Iterable[Event], traced: Mapping[UUID, Traced]) -> Sequence[ReadableSpan]:
        """Return the spans that events end, of those notifications that belong to a trace.

        What the caller's tracer has not sampled has none, unless OTEL_TRACES_SAMPLER says so.
        """
        for event in events:
            of = traced.get(event.stream)
            if of is not None and event.type in TOLD:
                self._make(event, of)
        made = self._made.get_finished_spans()
        self._made.clear()
        return made

    def _make(self, event: Event, of: Traced) -> None:
        name, since = _begin(event, of)
        self._ids.next = _id(event)
        attributes: dict[str, Any] = {
            "messaging.system": "whatsapp",
            "messaging.operation.name": "send" if name == "outbox attempt" else event.type,
            "outbox.account": event.account,
            "outbox.notification": str(event.stream),
            "outbox.outcome": str(event.data.get("class", event.type)),
        }
        for attribute, member in (
            ("messaging.message.id", "message_id"),
            ("outbox.attempt", "attempt"),
        ):
            if member in event.data:
                attributes[attribute] = event.data[member]
        span = self._tracer.start_span(
            name,
            self._parents.extract({"traceparent": of.traceparent}),
            SpanKind.CLIENT if name == "outbox attempt" else SpanKind.INTERNAL,
            attributes,
            start_time=_nanoseconds(min(since, event.recorded_at)),
        )
        if event.type in _FAILED:
            span.set_status(StatusCode.ERROR, attributes["outbox.outcome"])
        span.end(_nanoseconds(event.recorded_at))


def _begin(event: Event, of: Traced) -> tuple[str, datetime]:
    """Return the name of the span that an event ends, and when it began."""
    started = of.started_at.get(event.data.get("attempt", 0), event.recorded_at)
    settles = (
        "evidence" in event.data
        or event.data.get("class") in _SETTLED
        or (event.type == "attempt_unknown" and "error" not in event.data)
    )
    if event.type in _RECEIPTS:
        return "outbox receipt", of.sent_at or event.recorded_at
    if event.type in _ENDS:
        return "outbox end", event.recorded_at
    return ("outbox settlement" if settles else "outbox attempt"), started


def _id(event: Event) -> int:
    digest = blake2b(f"{event.stream}:{event.version}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) or 1


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1000


class _Ids(IdGenerator):
    """Gives the next span the id that it was told."""

    def __init__(self) -> None:
        self.next = 1
        self._traces = RandomIdGenerator()

    def generate_span_id(self) -> int:
        return self.next

    def generate_trace_id(self) -> int:
        # Only of a span without a parent, and each has one.
        return self._traces.generate_trace_id()
