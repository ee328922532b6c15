"""Logging: one line an entry, readable on a terminal, logfmt or JSON elsewhere.

Personal data has no business in logs, which go to other places and live longer than it may:
whatever looks like a number or a JID is put out of sight, and bodies are left out altogether,
whoever logs them.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any, Literal

import structlog

from outbox.flood import Flood

if TYPE_CHECKING:
    from typing import TextIO

    from structlog.typing import EventDict, Processor

Format = Literal["auto", "text", "logfmt", "json"]
Level = Literal["debug", "info", "warning", "error"]

_BODIES = ("content", "body", "text", "caption", "data")
_PERSONAL = re.compile(
    r"[0-9][0-9-]*(:[0-9]+)?@(s\.whatsapp\.net|c\.us|lid|g\.us|newsletter)"
    r"|\+[1-9][0-9 .\u00a0-]{5,20}[0-9]"
)
HIDDEN = "(hidden)"
"""Stands where a number, a JID or a body was."""


def configure(form: Format = "auto", level: Level = "info", stream: TextIO | None = None) -> None:
    """Let everything that logs, the libraries included, write to one stream in one form.

    Args:
        form: `auto` is text on a terminal and logfmt elsewhere.
        level: What is less urgent is left out.
        stream: Where to; unless given JSON goes to stdout, everything else to stderr.
    """
    stream = stream or (sys.stdout if form == "json" else sys.stderr)
    if form == "auto":
        form = "text" if stream.isatty() else "logfmt"
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(
            fmt="%H:%M:%S" if form == "text" else "iso", utc=form != "text"
        ),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        hide,
        flatten,
        lead,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(form, stream),
            ],
        )
    )
    handler.addFilter(Flood())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    # It tells of every job that it runs.
    logging.getLogger("apscheduler").setLevel(max(logging.WARNING, _LEVELS[level]))


def hide(_logger: object, _method: str, entry: EventDict) -> EventDict:
    """Put personal data of an entry out of sight."""
    return {
        name: HIDDEN if name in _BODIES and value is not None else _without_personal(value)
        for name, value in entry.items()
    }


def lead(_logger: object, _method: str, entry: EventDict) -> EventDict:
    """Let time, level and event come first, as a reader looks for them."""
    first = ("timestamp", "level", "event")
    return {name: entry[name] for name in first if name in entry} | dict(entry)


_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def flatten(_logger: object, _method: str, entry: EventDict) -> EventDict:
    """Put every value on one line, so that an entry is one; a traceback keeps its own."""
    return {
        name: " ".join(value.split())
        if isinstance(value, str) and name not in {"event", "exception", "stack"}
        else value
        for name, value in entry.items()
    }


def _without_personal(value: Any) -> Any:  # noqa: ANN401 - entries hold values of any type
    match value:
        case str():
            return _PERSONAL.sub(HIDDEN, value)
        case dict():
            return hide(None, "", value)
        case list() | tuple():
            return [_without_personal(inner) for inner in value]
        case BaseException():
            return _PERSONAL.sub(HIDDEN, str(value))
        case _:
            return value


def _renderer(form: Format, stream: TextIO) -> Processor:
    match form:
        case "json":
            return structlog.processors.JSONRenderer(default=str, ensure_ascii=False)
        case "text":
            return structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=24)
        case _:
            return structlog.processors.LogfmtRenderer(bool_as_flag=False)
