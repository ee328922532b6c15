"""Logging: an entry a line, and no personal data in it, whoever logs."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from outbox import logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


def _logged(form: logs.Format, **values: object) -> str:
    stream = io.StringIO()
    logs.configure(form, stream=stream)
    structlog.get_logger().info("hello", **values)
    return stream.getvalue()


@pytest.mark.parametrize("form", ["text", "logfmt", "json", "auto"])
def test_an_entry_is_one_line(form: logs.Format) -> None:
    """Errors of the database have several lines, which would be several entries."""
    said = _logged(form, reason="first\n\tsecond")
    assert said.count("\n") == 1
    assert "first second" in said


def test_without_a_terminal_it_is_logfmt() -> None:
    """What a log collector parses."""
    assert " level=info event=hello " in _logged("auto", account="main")


def test_json_is_one_document_a_line() -> None:
    """With the level and the time in UTC."""
    entry = json.loads(_logged("json", account="main"))
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {"event": "hello", "level": "info", "account": "main"}


@pytest.mark.parametrize(
    "value",
    [
        "to 447700900123@s.whatsapp.net failed",
        "447700900123:3@s.whatsapp.net",
        "+44 7700 900123",
        "+447700900123",
        "123456789@lid",
        ["447700900123@c.us"],
        {"jid": "123-456@g.us"},
        ValueError("447700900123@s.whatsapp.net"),
    ],
)
@pytest.mark.parametrize("form", ["text", "logfmt", "json"])
def test_numbers_are_hidden(form: logs.Format, value: object) -> None:
    """However deep in an entry they are."""
    said = _logged(form, reason=value)
    assert not any(digits in said for digits in ("900123", "123456", "123-456"))
    assert logs.HIDDEN in said


@pytest.mark.parametrize("name", ["content", "body", "text", "caption", "data"])
def test_bodies_are_hidden(name: str) -> None:
    """A body is nobody's business but the recipient's."""
    assert "secret" not in _logged("json", **{name: {"kind": "text", "text": "secret"}})


def test_ids_and_times_are_kept() -> None:
    """What an operator looks things up by has digits, too."""
    values = {
        "notification": "01a21014-a001-785b-843b-0f644482de5d",
        "message_id": "3EB01B19F791616FD4B12F",
        "at": "2026-11-25T00:21:52.975689+00:00",
    }
    entry = json.loads(_logged("json", **values))
    assert values.items() <= entry.items()


def test_libraries_log_alike() -> None:
    """APScheduler uses the standard library's logging."""
    stream = io.StringIO()
    logs.configure("json", stream=stream)
    logging.getLogger("library").warning("number %s", "+447700900123")
    entry = json.loads(stream.getvalue())
    assert (entry["event"], entry["level"]) == (f"number {logs.HIDDEN}", "warning")


def test_a_traceback_shows_no_values() -> None:
    """The values of a frame would be bodies and numbers."""
    stream = io.StringIO()
    logs.configure("text", stream=stream)
    body = "".join(reversed("terces"))
    try:
        int(f"{body} number")
    except ValueError:
        structlog.get_logger().exception("failed", number=len(body))
    assert "ValueError" in stream.getvalue()
    assert "body = " not in stream.getvalue()


def test_what_is_less_urgent_is_left_out() -> None:
    """By the level that OUTBOX_LOG_LEVEL names."""
    stream = io.StringIO()
    logs.configure("json", "warning", stream)
    structlog.get_logger().info("hello")
    logging.getLogger("library").info("hello")
    assert stream.getvalue() == ""
