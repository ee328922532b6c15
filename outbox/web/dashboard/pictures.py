"""The pictures of the pages: a notification's timeline, connections' bands, a pairing's QR code.

Where things lie in the first two is computed here, and drawn by the templates. Sizes are in the
units of an SVG's view box.
"""

from __future__ import annotations

import math
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, NamedTuple

import segno

from outbox.words import wording

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from outbox.log.history import Span
    from outbox.log.notifications import Happened
    from outbox.web.pairings import State

BAND_WIDTH: Final = 1000.0
_FIRST: Final = 50.0
_NEAREST, _FURTHEST = 96.0, 220.0
"""Between two events: room for their names, and no further however long it took."""

_AFTER: Final = {
    "enqueued": "pending",
    "attempt_started": "sending",
    "attempt_failed": "pending",
    "attempt_unknown": "unknown",
    "requeued": "pending",
}
"""The state after an event, where it is not named as the event is."""


class Stop(NamedTuple):
    """An event of a notification in the picture of its timeline."""

    x: float
    type: str
    at: datetime
    state: str
    """The notification's after it."""
    took: str
    """Until the next event; nothing at the last."""
    next_x: float


class Band(NamedTuple):
    """A time during which a connection was in one state."""

    x: float
    width: float
    span: Span
    took: str
    colour: str


def timeline(events: Sequence[Happened]) -> list[Stop]:
    """Return where the events of a notification lie; longer waits look longer, on a log scale."""
    stops: list[Stop] = []
    x = _FIRST
    for event, following in zip_longest(events, events[1:]):
        took, gap = "", 0.0
        if following is not None:
            seconds = (following.recorded_at - event.recorded_at).total_seconds()
            took = wording.span(seconds)
            gap = min(_NEAREST + 24 * math.log10(1 + max(seconds, 0)), _FURTHEST)
        state = _AFTER.get(event.type, event.type)
        stops.append(Stop(x, event.type, event.recorded_at, state, took, x + gap))
        x += gap
    return stops


def bands(spans: Sequence[Span], back: timedelta, now: datetime) -> dict[str, list[Band]]:
    """Return the bands of each account's connection, from so long ago until now."""
    since = now - back
    found: dict[str, list[Band]] = {}
    for span in spans:
        x = max((span.began - since) / back, 0) * BAND_WIDTH
        end = min((span.ended - since) / back, 1) * BAND_WIDTH
        took = wording.span((span.ended - span.began).total_seconds())
        colour = wording.CONNECTION_STYLES.get(span.state, "dim")
        found.setdefault(span.account, []).append(Band(x, end - x, span, took, colour))
    return found


def qr_code(state: State | None) -> str:
    """Return the QR code that a pairing shows, as SVG within a page; "" if it shows none."""
    if state is None or state.shown is None or state.shown.kind != "qr":
        return ""
    made: str = segno.make(state.shown.text, error="L").svg_inline(
        omitsize=True, border=2, dark="#000", light="#fff"
    )
    return made
