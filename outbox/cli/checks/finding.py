"""What a check has found: a verdict, what was seen, and what to do.

A check that fails is a finding as well, so that none hides another.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from outbox.cli.exits import ending, wants_traceback

if TYPE_CHECKING:
    from collections.abc import Callable


class Verdict(StrEnum):
    """How it stands."""

    OK = "ok"
    WARNING = "warning"
    """Works, but somebody should look at it."""
    BROKEN = "broken"
    """Something is not delivered, not accepted or not safe."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check has found."""

    verdict: Verdict
    seen: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A finding under the name of its check."""

    name: str
    verdict: Verdict
    seen: str
    advice: str


def ok(seen: str) -> Finding:
    """Nothing needs to be done."""
    return Finding(Verdict.OK, seen)


def warning(seen: str, advice: str) -> Finding:
    """Somebody should look at it."""
    return Finding(Verdict.WARNING, seen, advice)


def broken(seen: str, advice: str) -> Finding:
    """Somebody has to mend it."""
    return Finding(Verdict.BROKEN, seen, advice)


def examined(name: str, check: Callable[[], Finding]) -> Line:
    """Make a check; one that fails is broken, with its sentence."""
    try:
        found = check()
    except Exception as error:
        if wants_traceback():
            raise
        sentence = ending(error).sentence
        found = broken(f"could not be checked: {sentence}", "mend that, then run: outbox doctor")
    return Line(name, found.verdict, found.seen, found.advice)
