"""Where a webhook stands, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from outbox.words import wording

if TYPE_CHECKING:
    from datetime import datetime

    from outbox.webhooks.standing import Standing

_LATE_SECONDS: Final = 60
"""From when on what is to come has waited for longer than it should."""


def standing(one: Standing, now: datetime) -> tuple[str, str]:
    """Return how a webhook goes, in plain words, and how that looks."""
    if one.disabled_at is not None:
        return f"disabled {wording.ago(one.disabled_at, now)} ago: {one.disabled_because}", "red"
    if one.failures:
        since = f" for {wording.ago(one.failing_since, now)}" if one.failing_since else ""
        again = f", next try {wording.when(one.retry_at, now)}" if one.retry_at else ""
        times = wording.number(one.failures, "failure")
        return f"failing{since}, {times} in a row{again}: {one.last_error}", "yellow"
    if one.behind_seconds > _LATE_SECONDS:
        return "enabled, and late: is a worker running?", "yellow"
    return "enabled", "green"


def place(one: Standing) -> str:
    """Return where in the log a webhook stands, in plain words."""
    if one.position is None:
        return "it has been told of everything"
    events = wording.number(one.behind, "event")
    return (
        f"next is position {one.position}, {wording.span(one.behind_seconds)} old; "
        f"{'up to ' if one.behind > 1 else ''}{events} to come"
    )


def host(url: str) -> str:
    """Return whom a URL leads to; its path may be a secret of its own."""
    return urlsplit(url).hostname or url
