"""Where things lie in the pictures of a report; all share one axis of time, `WIDTH` wide.

Sizes are in the units of an SVG's view box, which is stretched to the width of the page: so the
pictures hold shapes, and the words stand around them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from outbox.incident import telling
from outbox.words import wording

if TYPE_CHECKING:
    from datetime import datetime

    from outbox.log.findings import Incident

WIDTH: Final = 1000.0
HEIGHT: Final = 100.0
_MOST_LINES: Final = 30


class Block(NamedTuple):
    """A rectangle; it says what it is to whoever points at it."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    said: str


class Chart(NamedTuple):
    """Counts over time."""

    title: str
    highest: int
    """The count at its upper edge."""
    line: str
    """The points of a polyline; none in a chart of bars."""
    blocks: list[Block]
    legend: list[tuple[str, str]]
    """Names and colours of the bars."""


class Bands(NamedTuple):
    """The states of an account's connection over time."""

    account: str
    blocks: list[Block]
    restarts: list[float]


_BARS: Final = {
    "Attempts": (("started", "attempts started", "cyan"),),
    "Outcomes": (
        ("sent", "sent", "green"),
        ("failed", "attempts failed", "yellow"),
        ("doubted", "attempts in doubt", "violet"),
        ("dead", "ended without success", "red"),
    ),
}


def charts(incident: Incident) -> list[Chart]:
    """Return what was open, the attempts and the outcomes, step by step."""
    return [_open(incident), *(_bars(incident, title) for title in _BARS)]


def bands(incident: Incident) -> list[Bands]:
    """Return the bands of each account's connection; neighbours that look the same are one."""
    found: dict[str, list[Block]] = {}
    for span in incident.bands:
        colour = wording.CONNECTION_STYLES.get(span.state, "dim")
        x, end = _x(incident, span.began), _x(incident, span.ended)
        said = f"{span.state} from {telling.moment(incident, span.began)}"
        said += f": {span.reason}" if span.reason else ""
        blocks = found.setdefault(span.account, [])
        if blocks and blocks[-1].colour == colour:
            last = blocks[-1]
            blocks[-1] = last._replace(width=end - last.x)
        else:
            blocks.append(Block(x, 0, end - x, HEIGHT, colour, said))
    return [
        Bands(account, _seen(blocks), restarts(incident, account))
        for account, blocks in found.items()
    ]


def _seen(blocks: list[Block]) -> list[Block]:
    """Return blocks so that trouble is seen, however short: above what is well, and wide enough."""
    well = [one for one in blocks if one.colour == "green"]
    rest = [one._replace(width=max(one.width, 2)) for one in blocks if one.colour != "green"]
    return well + rest


def outages(incident: Incident) -> list[Block]:
    """Return what darkens the ground of every picture while a connection was down."""
    return [
        Block(x, 0, max(_x(incident, one.ended_at or incident.until) - x, 2), HEIGHT, "outage", "")
        for one in incident.outages
        for x in (_x(incident, one.began_at),)
    ]


def restarts(incident: Incident, account: str | None = None) -> list[float]:
    """Return where other workers took over, unless there are too many to be told apart."""
    if incident.restarts.total > _MOST_LINES:
        return []
    rows = incident.restarts.rows
    return [_x(incident, one.at) for one in rows if account in {None, one.account}]


def _open(incident: Incident) -> Chart:
    highest = max(1, incident.open_at_most)
    level = incident.steps[0].open_before
    points = [f"0,{_y(level, highest):.2f}"]
    for step in incident.steps:
        end = min(_x(incident, step.at + incident.step), WIDTH)
        points.append(f"{end:.2f},{_y(step.open, highest):.2f}")
    return Chart("Open notifications", highest, " ".join(points), [], [])


def _bars(incident: Incident, title: str) -> Chart:
    kinds = _BARS[title]
    totals = [sum(getattr(step, name) for name, _, _ in kinds) for step in incident.steps]
    highest = max(1, *totals)
    blocks = []
    for step in incident.steps:
        x = _x(incident, step.at)
        width = (min(_x(incident, step.at + incident.step), WIDTH) - x) * 0.86
        below = 0
        for name, said, colour in kinds:
            count = getattr(step, name)
            if count:
                y = _y(below + count, highest)
                height = _y(below, highest) - y
                at = telling.moment(incident, step.at)
                blocks.append(Block(x, y, width, height, colour, f"{at}: {count:,} {said}"))
            below += count
    legend = [(said, colour) for _, said, colour in kinds] if len(kinds) > 1 else []
    return Chart(title, highest, "", blocks, legend)


def _x(incident: Incident, at: datetime) -> float:
    """Return where a moment lies; what is outside the period, at its edge."""
    return min(max((at - incident.since) / (incident.until - incident.since), 0), 1) * WIDTH


def _y(count: int, highest: int) -> float:
    return HEIGHT - count / highest * (HEIGHT - 4)
