"""The lists that tell how it went: outages, causes, the timeline, the figures of the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.incident import telling
from outbox.incident.table import Table, without_account
from outbox.words import narrative, wording

if TYPE_CHECKING:
    from datetime import datetime

    from outbox.log.findings import Cause, Incident

_FAILURES = {
    "attempt_failed": "attempt failed",
    "attempt_unknown": "attempt in doubt",
    "rejected": "refused for good",
    "expired": "expired",
}


def outages(incident: Incident) -> Table:
    """List when connections that had stood did not."""
    most = 100
    return Table(
        "outages",
        "Outages",
        "When a connection that had stood did not stand, with the first cause.",
        ["From", "To", "For", "Account", "Why", "Held up", "Half late by", "Latest by"],
        [
            [
                telling.moment(incident, one.began_at),
                telling.moment(incident, one.ended_at) if one.ended_at else "still",
                wording.seconds(one.duration),
                one.account,
                telling.because(one.cause, one.reason),
                f"{one.held_up:,}",
                wording.seconds(one.median_late) if one.median_late is not None else "",
                wording.seconds(one.longest_late) if one.longest_late is not None else "",
            ]
            for one in incident.outages[:most]
        ],
        "There was none.",
        max(len(incident.outages) - most, 0),
        frozenset({"Held up"}),
    )


def causes(incident: Incident) -> Table:
    """List what went wrong, by cause."""
    return Table(
        "causes",
        "What went wrong, by cause",
        "The first that was said of each attempt, and of each notification that expired without "
        "one; the earliest first. Ids and numbers in an error are #.",
        ["First", "Cause", "What", "Times", "Notifications", "In an outage", "Account"],
        [
            [
                telling.moment(incident, one.first_at),
                _cause(one),
                _what(one),
                f"{one.times:,}",
                f"{one.notifications:,}",
                "all" if one.in_outage == one.times else f"{one.in_outage:,}",
                one.account,
            ]
            for one in incident.causes.rows
        ],
        "Nothing.",
        incident.causes.left_out,
        frozenset({"Times", "Notifications"}),
    )


def _cause(one: Cause) -> str:
    if one.type != "expired":
        return one.error
    return telling.because(one.class_, one.error) if one.class_ else "its turn did not come in time"


def _what(one: Cause) -> str:
    said = _FAILURES.get(one.type, one.type)
    return f"{said} ({one.class_})" if one.class_ and one.type == "attempt_failed" else said


def timeline(incident: Incident) -> Table:
    """List what happened, in order."""
    taken = {(one.account, one.epoch): telling.took_over(one) for one in incident.restarts.rows}
    rows: list[tuple[datetime, list[str]]] = []
    for mark in incident.marks.rows:
        restart = taken.get((mark.account, mark.data.get("epoch", 0)))
        said = narrative.told(mark)
        if mark.type == "lease_acquired" and restart:
            said = f"{restart}; epoch {mark.data['epoch']}"
        rows.append((mark.recorded_at, [mark.type, said, mark.account]))
    for one in incident.causes.rows:
        times = f", the first of {one.times:,}" if one.times > 1 else ""
        rows.append((one.first_at, [one.type, f"{_cause(one)}{times}", one.account]))
    for deed in incident.deeds.rows:
        until = f", until {telling.moment(incident, deed.last_at)}" if deed.events > 1 else ""
        said = f"{deed.kind} {deed.who}: {wording.number(deed.events, 'time')}{until}"
        rows.append((deed.first_at, [deed.type, said, deed.account]))
    return Table(
        "timeline",
        "Timeline",
        "What happened to connections but for tries that failed, the first of each cause, and what "
        "people did.",
        ["At", "Event", "What happened", "Account"],
        [[telling.moment(incident, at), *row] for at, row in sorted(rows, key=lambda row: row[0])],
        "Nothing.",
        incident.marks.left_out + incident.causes.left_out + incident.deeds.left_out,
    )


def steps(incident: Incident) -> Table:
    """Return the figures of the charts, without the steps in which nothing happened or changed."""
    rows = []
    before = incident.steps[0].open_before
    for one in incident.steps:
        counts = (one.enqueued, one.started, one.sent, one.failed, one.doubted, one.dead)
        if any(counts) or one.open != before:
            figures = (one.open, *counts)
            rows.append([telling.moment(incident, one.at), *(f"{count:,}" for count in figures)])
        before = one.open
    headings = ["Open", "Enqueued", "Attempts", "Sent", "Failed", "In doubt", "Dead"]
    return Table(
        "figures",
        "Figures of the charts",
        f"Each row is {wording.seconds(incident.step)} from then on; what is open, at its end. "
        f"Where nothing happened there is no row.",
        ["From", *headings],
        rows,
        "Nothing happened.",
        numbers=frozenset(headings),
    )


def bands(incident: Incident) -> Table:
    """Return the states of the connections."""
    most = 100
    rows = [
        [
            telling.moment(incident, one.began),
            wording.span((one.ended - one.began).total_seconds()),
            one.account,
            one.state,
            one.reason or "",
        ]
        for one in incident.bands
    ]
    made = Table(
        "connections",
        "States of the connections",
        "Each as a whole, from its true beginning.",
        ["From", "For", "Account", "State", "Why"],
        rows[:most],
        "No account had a connection.",
        max(len(rows) - most, 0),
    )
    return without_account(made) if telling.only_account(incident) else made
