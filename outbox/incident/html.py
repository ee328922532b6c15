"""The report as one HTML file, which asks nobody for anything and needs no scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from outbox.incident import answers, course, drawing, tables, telling
from outbox.release import VERSION
from outbox.words import narrative, wording

if TYPE_CHECKING:
    from outbox.log.findings import Incident

_COLOURS: Final = wording.CONNECTION_STYLES | narrative.EVENT_STYLES | wording.STATE_STYLES
_STATES: Final = frozenset({"State", "Became", "Event"})
"""Columns whose cells have the colour of what they name."""

_TEMPLATES = Environment(
    loader=PackageLoader("outbox.incident"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["colour"] = lambda name: _COLOURS.get(name) or "plain"


def html(incident: Incident, events: str) -> str:
    """Return the report of an incident as HTML.

    Args:
        incident: What happened.
        events: The name of the file beside it that holds the events.
    """
    return _TEMPLATES.get_template("incident.html").render(
        incident=incident,
        title=telling.title(incident),
        answers=answers.answers(incident),
        figures=answers.figures(incident),
        charts=drawing.charts(incident),
        bands=drawing.bands(incident),
        outages=drawing.outages(incident),
        restarts=drawing.restarts(incident),
        width=drawing.WIDTH,
        height=drawing.HEIGHT,
        tables=tables.tables(incident),
        steps=course.steps(incident),
        connections=course.bands(incident),
        states=_STATES,
        begin=telling.moment(incident, incident.since),
        end=telling.moment(incident, incident.until),
        made=f"{incident.now.astimezone():%Y-%m-%d %H:%M:%S}",
        zone=f"{incident.since.astimezone():%Z}",
        events=events,
        release=VERSION,
    )
