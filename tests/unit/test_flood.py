"""A storm of errors does not flood the log, and does not go by unnoticed."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from outbox import flood, logs
from outbox.flood import Flood


class Log:
    """A log with a clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0
        self._stream = io.StringIO()
        logs.configure("json", "debug", self._stream)
        (handler,) = logging.getLogger().handlers
        (configured,) = handler.filters
        assert isinstance(configured, Flood)
        self.flood = Flood(lambda: self.now)
        handler.filters[:] = [self.flood]
        self.log: Any = structlog.get_logger()

    def entries(self) -> list[dict[str, Any]]:
        """Return what has been written."""
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    """Logging as it was is restored afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield Log()
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_kind_of_warning_passes_so_often_a_minute(log: Log) -> None:
    """Whatever else the entries say; the last one says that there is more."""
    for number in range(1000):
        log.log.warning("attempt failed", account="main", notification=str(number))
    entries = log.entries()
    assert len(entries) == flood.A_MINUTE
    assert "more" not in entries[-2]
    assert entries[-1]["more"] == "is left out for the rest of the minute"


def test_the_next_minute_says_what_was_left_out(log: Log) -> None:
    """How many of that kind; and counts anew."""
    for _ in range(1000):
        log.log.error("attempt failed")
    log.now = 59.9
    log.log.error("attempt failed")
    log.now = 60
    for _ in range(2):
        log.log.error("attempt failed")
    told = [one.get("left_out") for one in log.entries()[flood.A_MINUTE :]]
    assert told == [1001 - flood.A_MINUTE, None]


def test_other_kinds_and_other_accounts_pass(log: Log) -> None:
    """One account's storm hides nothing of another's."""
    for _ in range(100):
        log.log.warning("attempt failed", account="main")
    log.log.warning("attempt failed", account="second")
    log.log.warning("logged_out", account="main")
    assert [one["account"] for one in log.entries()[-2:]] == ["second", "main"]
    assert log.entries()[-1]["event"] == "logged_out"


def test_what_is_no_warning_passes_always(log: Log) -> None:
    """A line for each request, and what is asked for by the level debug."""
    for _ in range(100):
        log.log.info("answered")
        log.log.debug("sent")
    assert len(log.entries()) == 200


def test_a_library_is_held_back_alike(log: Log) -> None:
    """By its sentence, before the values are put into it."""
    library = logging.getLogger("library")
    for number in range(100):
        library.warning("cannot do %s", number)
    log.now = 60
    library.warning("cannot do %s", "this")
    entries = log.entries()
    assert len(entries) == flood.A_MINUTE + 1
    assert entries[-1]["event"] == f"cannot do this (left_out {100 - flood.A_MINUTE})"


def test_no_memory_grows_with_sentences_that_are_all_different(log: Log) -> None:
    """They are forgotten together."""
    for sentence in map(str, range(3 * flood.MOST_KINDS)):
        log.log.warning(sentence)
    assert len(log.flood._kinds) <= flood.MOST_KINDS
