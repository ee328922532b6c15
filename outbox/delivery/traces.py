"""Traces: a follower of the log that tells OpenTelemetry what befell traced notifications.

In the worker, since every outbox has one, with a cursor of its own, "traces", so that what happens
while none runs is told later. On a thread and a connection of its own, since whoever takes spans
may be slow, and leases are to be renewed meanwhile. Invariants:

1. A span is told at least once: the cursor moves after the export. Told twice, by a worker that
   was killed between the two or by two workers, it has the same id.
2. What takes the spans holds up nothing but them: while it is away the cursor stays.
3. Without an endpoint nothing is imported, connected or written.
"""

from __future__ import annotations

import os
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import psycopg
import structlog

from outbox.log.database import connect
from outbox.log.follow import CursorMoved, Follower
from outbox.log.traced import traced

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from outbox.log.database import Connection
    from outbox.settings import Settings

CONSUMER: Final = "traces"
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_EVERY_SECONDS = 1.0
_LONGEST_SECONDS = 60.0
"""Between two tries to tell somebody who is away."""
_END_SECONDS = 2.0

_log: Any = structlog.get_logger()


def are_wanted() -> bool:
    """Return whether the environment names an endpoint, and does not take it back."""
    return (
        any(os.environ.get(name) for name in ENDPOINTS)
        and os.environ.get("OTEL_SDK_DISABLED", "").lower() != "true"
        and os.environ.get("OTEL_TRACES_EXPORTER", "otlp") != "none"
    )


def begin_traces(settings: Settings) -> Traces | None:
    """Begin to tell, if the environment names an endpoint; return what ends it."""
    if not are_wanted():
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
    except ImportError:
        _log.warning(
            "no traces: the extra is not installed; run: pip install 'whatsapp-outbox[otel]'"
        )
        return None
    traces = Traces(settings.database_url, OTLPSpanExporter(), pooled=settings.pooled)
    traces.start()
    return traces


class Traces:
    """Tells an exporter.

    Args:
        url: The database.
        exporter: Takes the spans.
        pooled: A pooler in transaction mode is between.
    """

    def __init__(self, url: str, exporter: SpanExporter, *, pooled: bool) -> None:
        from outbox.delivery.spans import Spans  # noqa: PLC0415

        self._url = url
        self._pooled = pooled
        self._exporter = exporter
        self._spans = Spans()
        self._closing = Flag()
        self._thread = Thread(target=self._run, name="traces", daemon=True)

    def start(self) -> None:
        """Begin, where the cursor stands; a new one begins at the end of the log."""
        self._thread.start()

    def end(self) -> None:
        """End soon, whatever the exporter does: what it has not taken is told next time."""
        self._closing.set()
        self._exporter.shutdown()
        self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            try:
                with connect(self._url, "outbox traces", pooled=self._pooled) as connection:
                    follower = Follower(connection, CONSUMER)
                    failures = 0
                    self._follow(connection, follower)
            except psycopg.Error as error:
                _log.warning("traces interrupted", reason=str(error).strip())
                self._closing.wait(min(2.0**failures, _LONGEST_SECONDS))
                failures += 1

    def _follow(self, connection: Connection, follower: Follower) -> None:
        failures = 0
        while not self._closing.is_set():
            try:
                taken, complete = self._tell(connection, follower)
            except CursorMoved:
                continue  # another worker has told it, too
            failures = 0 if taken else failures + 1
            if not taken:
                _log.warning("nobody takes the traces", again=min(2.0**failures, _LONGEST_SECONDS))
                self._closing.wait(min(2.0**failures, _LONGEST_SECONDS))
            elif complete:
                self._closing.wait(_EVERY_SECONDS)

    def _tell(self, connection: Connection, follower: Follower) -> tuple[bool, bool]:
        """Tell of one batch; return whether it was taken, and whether that was all there was."""
        from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415

        batch = follower.take()
        if batch.events:
            of = traced(connection, {event.stream for event in batch.events})
            spans = self._spans.of(batch.events, of)
            if spans and self._exporter.export(spans) is not SpanExportResult.SUCCESS:
                return False, False
        follower.move(batch)
        return True, batch.complete
