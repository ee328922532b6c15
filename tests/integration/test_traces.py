"""Traces from enqueue to receipt: what a receiver of OTLP over HTTP is told, and when not."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any
from uuid import UUID

import psycopg
import pytest
import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from outbox import enqueue, enqueue_many
from outbox.delivery import traces as module
from outbox.delivery.traces import CONSUMER, Traces, begin_traces
from outbox.log.follow import Follower
from outbox.log.followers import lags
from outbox.session.phone import Phone
from outbox.settings import Settings
from tests import cli_runner
from tests.cli_runner import Session
from tests.web_api import HELLO, Api

PATIENCE = 20.0
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"


class Receiver:
    """Takes spans as a collector does, until it is told to refuse them.

    Attributes:
        url: Where its endpoint is.
        status: What it answers.
        refused: How often it has.
    """

    def __init__(self) -> None:
        self.status = 200
        self.refused = 0
        self._spans: Queue[Span] = Queue()
        self.services: set[str] = set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(data)
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def take(self, data: bytes) -> None:
        """Take a request."""
        if self.status != 200:
            self.refused += 1
            return
        for of_resource in ExportTraceServiceRequest.FromString(data).resource_spans:
            for attribute in of_resource.resource.attributes:
                if attribute.key == "service.name":
                    self.services.add(attribute.value.string_value)
            for of_scope in of_resource.scope_spans:
                for span in of_scope.spans:
                    self._spans.put(span)

    def span(self) -> Span:
        """Return the next span, as soon as it is there."""
        return self._spans.get(timeout=PATIENCE)

    @property
    def is_empty(self) -> bool:
        """Whether no span is there."""
        return self._spans.empty()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of spans."""
    receiver = Receiver()
    thread = Thread(target=receiver.server.serve_forever, daemon=True)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


@contextmanager
def telling(url: str, receiver: Receiver) -> Iterator[None]:
    """Let traces be told, impatiently, until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_EVERY_SECONDS", 0.05)
        patch.setattr(module, "_LONGEST_SECONDS", 0.05)
        exporter = OTLPSpanExporter(f"{receiver.url}/v1/traces")
        traces = Traces(url, exporter, pooled=False)
        traces.start()
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                _wait(lambda: CONSUMER in _consumers(connection))
            yield
        finally:
            traces.end()


@contextmanager
def within_a_span(flags: int = TraceFlags.SAMPLED) -> Iterator[None]:
    """Let the caller have a current span."""
    context = SpanContext(
        int(TRACE_ID, 16), int(SPAN_ID, 16), is_remote=False, trace_flags=TraceFlags(flags)
    )
    with trace.use_span(NonRecordingSpan(context)):
        yield


def _wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def _enqueue(connection: psycopg.Connection, to: str = "+447700900123", **more: Any) -> UUID:  # noqa: ANN401
    row = connection.execute(enqueue(to=to, text="Confidential", **more)).fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


def _metadata(connection: psycopg.Connection, id_: UUID) -> dict[str, Any]:
    row = connection.execute(
        "select metadata from outbox.event where stream = %s and version = 1", (id_,)
    ).fetchone()
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


def _attributes(span: Span) -> dict[str, str | int]:
    return {
        one.key: one.value.int_value if one.value.HasField("int_value") else one.value.string_value
        for one in span.attributes
    }


def _times(connection: psycopg.Connection, id_: UUID) -> dict[str, int]:
    rows = connection.execute(
        "select type, (extract(epoch from recorded_at) * 1000000)::bigint * 1000"
        " from outbox.event where stream = %s",
        (id_,),
    )
    return dict(rows.fetchall())


def test_a_caller_within_a_span_leaves_its_context(connection: psycopg.Connection) -> None:
    """In the metadata of one and of many, beside what the caller has there; and only then."""
    assert _metadata(connection, _enqueue(connection)) == {}
    with within_a_span():
        one = _enqueue(connection, metadata={"order": 7})
        rows = connection.execute(
            enqueue_many([{"to": "+447700900123", "text": "a", "metadata": {"order": 8}}])
        ).fetchall()
    assert _metadata(connection, one) == {"order": 7, "traceparent": TRACEPARENT}
    assert _metadata(connection, rows[0][0]) == {"order": 8, "traceparent": TRACEPARENT}


def test_a_request_within_a_span_leaves_its_context(
    api: Api, connection: psycopg.Connection
) -> None:
    """The header's, of one and of a list; what is no traceparent is ignored, as W3C has it."""
    for given, kept in ((TRACEPARENT, TRACEPARENT), ("00-0-0-01", None), ("x" * 55, None)):
        for body in (HELLO, [HELLO]):
            answer = api.enqueue(body, headers={"traceparent": given})
            assert answer.status_code == 202
            (id_,) = [
                UUID(one["id"]) for one in answer.json().get("notifications", [answer.json()])
            ]
            assert _metadata(connection, id_).get("traceparent") == kept


def test_an_attempt_and_its_receipt_are_spans_of_the_callers_trace(
    database_url: str, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """Children of the span that enqueued, with the times of the log, and nobody's name."""
    with telling(database_url, receiver):
        session = Session(connection)
        with within_a_span():
            id_ = _enqueue(connection)
        session.end("sent", id_)
        attempt = receiver.span()
        connection.execute(
            "select outbox.record_receipts('main', %s, %s::jsonb)",
            (
                session.epoch,
                json.dumps(
                    [
                        {
                            "message_id": _attributes(attempt)["messaging.message.id"],
                            "type": "delivered",
                        }
                    ]
                ),
            ),
        )
        receipt = receiver.span()
    times = _times(connection, id_)
    for span in (attempt, receipt):
        assert span.trace_id.hex() == TRACE_ID
        assert span.parent_span_id.hex() == SPAN_ID
        assert "447700900123" not in str(span)
        assert "Confidential" not in str(span)
    assert attempt.name == "outbox attempt"
    assert (attempt.start_time_unix_nano, attempt.end_time_unix_nano) == (
        times["attempt_started"],
        times["sent"],
    )
    said = _attributes(attempt)
    assert said["outbox.notification"] == str(id_)
    assert (said["outbox.account"], said["outbox.attempt"]) == ("main", 1)
    assert said["outbox.outcome"] == "sent"
    assert receipt.name == "outbox receipt"
    assert (receipt.start_time_unix_nano, receipt.end_time_unix_nano) == (
        times["sent"],
        times["delivered"],
    )
    assert receiver.services == {"outbox"}
    assert receiver.is_empty


def test_what_fails_is_an_error_without_its_text(
    database_url: str, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """The class is told, which names nobody; a dead letter has a span of its own."""
    with telling(database_url, receiver):
        session = Session(connection)
        with within_a_span():
            id_ = _enqueue(connection, max_attempts=1)
        session.end("failed", id_, error="no session with 447700900123@s.whatsapp.net")
        attempt, end = receiver.span(), receiver.span()
    assert (attempt.name, end.name) == ("outbox attempt", "outbox end")
    assert _attributes(attempt)["outbox.outcome"] == "transient"
    assert _attributes(end)["outbox.outcome"] == "exhausted"
    for span in (attempt, end):
        assert span.status.code == Status.STATUS_CODE_ERROR
        assert "447700900123" not in str(span)


def test_what_belongs_to_no_trace_has_no_span(
    database_url: str, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """Neither has what the caller's tracer has not sampled."""
    with telling(database_url, receiver):
        session = Session(connection)
        alone = _enqueue(connection)
        with within_a_span(TraceFlags.DEFAULT):
            unsampled = _enqueue(connection)
        with within_a_span():
            id_ = _enqueue(connection)
        session.end("sent", alone, unsampled, id_)
        assert _attributes(receiver.span())["outbox.notification"] == str(id_)
    assert receiver.is_empty


def test_what_happens_while_nobody_tells_is_told_later(
    database_url: str, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """The cursor stays where it was; the start of the attempt is looked up."""
    session = Session(connection)
    with telling(database_url, receiver):
        with within_a_span():
            id_ = _enqueue(connection)
        session.start(id_)
        _wait(lambda: lags(connection)[0].positions == 0)
    session.record("sent", id_)
    with telling(database_url, receiver):
        span = receiver.span()
    times = _times(connection, id_)
    assert span.start_time_unix_nano == times["attempt_started"]
    assert receiver.is_empty


def test_what_is_not_taken_is_told_again(
    database_url: str, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """Until it is taken; a span that is told twice has the same id."""
    session = Session(connection)
    Follower(connection, CONSUMER)
    row = connection.execute("select snapshot::text from outbox.cursor").fetchone()
    assert row is not None
    with within_a_span():
        id_ = _enqueue(connection)
    session.end("sent", id_)
    receiver.status = 400
    with telling(database_url, receiver):
        _wait(lambda: receiver.refused > 1)
        assert lags(connection)[0].positions > 0
        receiver.status = 200
        first = receiver.span()
        _wait(lambda: lags(connection)[0].positions == 0)
    connection.execute("update outbox.cursor set snapshot = %s::pg_snapshot", row)
    with telling(database_url, receiver):
        second = receiver.span()
    assert (first.span_id, first.trace_id) == (second.span_id, second.trace_id)


def test_two_workers_do_not_disturb_each_other(
    database_url: str, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """Each span is told by one of them, or by both alike."""
    session = Session(connection)
    with telling(database_url, receiver), telling(database_url, receiver):
        with within_a_span():
            ids = [_enqueue(connection) for _ in range(20)]
        for id_ in ids:
            session.end("sent", id_)
        told: dict[str, bytes] = {}
        while len(told) < len(ids):
            span = receiver.span()
            notification = str(_attributes(span)["outbox.notification"])
            assert told.setdefault(notification, span.span_id) == span.span_id
        _wait(lambda: lags(connection)[0].positions == 0)
    assert set(told) == set(map(str, ids))


def _consumers(connection: psycopg.Connection) -> set[str]:
    return {lag.consumer for lag in lags(connection)}


@pytest.mark.parametrize("with_endpoint", [True, False])
def test_a_worker_tells_if_it_is_told_where(
    database_url: str,
    connection: psycopg.Connection,
    receiver: Receiver,
    tmp_path: Path,
    *,
    with_endpoint: bool,
) -> None:
    """By OpenTelemetry's own variables; otherwise it follows nothing for that."""
    environment = {name: value for name, value in os.environ.items() if "OTEL" not in name}
    if with_endpoint:
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.url
        environment["OTEL_SERVICE_NAME"] = "shop"
    with Phone.start(tmp_path) as phone, (tmp_path / "log").open("w") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "outbox", "worker"],
            env=environment | {"DATABASE_URL": database_url, "OUTBOX_SESSION": phone.url},
            stderr=log,
        )
        try:
            _wait(lambda: "started" in (tmp_path / "log").read_text())
            if with_endpoint:
                _wait(lambda: CONSUMER in _consumers(connection))
            with within_a_span():
                id_ = _enqueue(connection)
            ran = cli_runner.run("show", id_, "--json", url=database_url)
            assert ran.code == 0
            if with_endpoint:
                assert _attributes(receiver.span())["outbox.notification"] == str(id_)
                assert receiver.services == {"shop"}
            else:
                _wait(lambda: "sent" in _times(connection, id_))
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE) == 0
        finally:
            worker.kill()
            worker.wait()
    assert (CONSUMER in _consumers(connection)) is with_endpoint


def test_without_an_endpoint_nothing_is_imported() -> None:
    """Neither by a worker nor by a caller who has no span."""
    program = (
        "import sys, outbox.delivery.worker, outbox; from outbox.delivery import traces\n"
        "from outbox.settings import Settings\n"
        "assert traces.begin_traces(Settings(DATABASE_URL='postgresql://nowhere')) is None\n"
        "outbox.enqueue(to='+447700900123', text='hello')\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    for more in ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}):
        environment = {name: value for name, value in os.environ.items() if "OTEL" not in name}
        subprocess.run([sys.executable, "-c", program], env=environment | more, check=True)


def test_without_the_extra_a_worker_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And works without it."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with structlog.testing.capture_logs() as said:
        assert begin_traces(Settings.model_construct(database_url="postgresql://nowhere")) is None
    assert "pip install 'whatsapp-outbox[otel]'" in said[0]["event"]
