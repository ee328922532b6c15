"""The lists of a report: what was affected, one by one, the same in HTML and in Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from outbox.incident import telling
from outbox.words import narrative, wording

if TYPE_CHECKING:
    from datetime import datetime

    from outbox.log.incident import Cause, Incident, Loss

_FAILURES = {
    "attempt_failed": "attempt failed",
    "attempt_unknown": "attempt in doubt",
    "rejected": "refused for good",
    "expired": "expired",
}

_TEXTS: Final = frozenset(
    {"Why", "Last error", "Cause", "First cause", "Doubt", "Decision", "Then", "What happened"}
)


@dataclass(frozen=True, slots=True)
class Table:
    """A list of rows."""

    name: str
    """Of one word, for whoever links to it."""
    title: str
    about: str
    """What it lists, and in which order."""
    headings: list[str]
    rows: list[list[str]]
    empty: str
    """What is said where there are no rows."""
    left_out: int = 0
    numbers: frozenset[str] = field(default_factory=frozenset)
    """Headings of columns that are counts."""
    texts: frozenset[str] = _TEXTS
    """Headings of columns whose cells may be long."""


def tables(incident: Incident) -> list[Table]:
    """Return the lists of a report, in their order."""
    made = [
        _outages(incident),
        _late(incident),
        _recipients(incident),
        _causes(incident),
        _losses(incident),
        _doubled(incident),
        _doubts(incident),
        _timeline(incident),
    ]
    return [_without_account(one) for one in made] if telling.only_account(incident) else made


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
    most = 200
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
    return _without_account(made) if telling.only_account(incident) else made


def _without_account(table: Table) -> Table:
    """Return a table without the column that would say the same in each row."""
    if "Account" not in table.headings:
        return table
    at = table.headings.index("Account")
    headings, *rows = (row[:at] + row[at + 1 :] for row in (table.headings, *table.rows))
    return replace(table, headings=headings, rows=rows)


def _outages(incident: Incident) -> Table:
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


def _late(incident: Incident) -> Table:
    return Table(
        "late",
        "What was late",
        "What waited for a connection, the latest first. Late from when it was due, or from the "
        "beginning of the outage if that is later.",
        ["Late by", "Recipient", "Due", "Became", "At", "Account", "Notification"],
        [
            [
                wording.seconds(one.late),
                wording.recipient(one.jid),
                telling.moment(incident, one.due_at),
                one.became or "still waits",
                telling.moment(incident, one.became_at) if one.became_at else "",
                one.account,
                str(one.notification),
            ]
            for one in incident.late.rows
        ],
        "Nothing.",
        incident.late.left_out,
    )


def _recipients(incident: Incident) -> Table:
    counts = ["Held up", "Failed", "Refused", "In doubt", "Lost"]
    return Table(
        "recipients",
        "Recipients that were affected",
        "Held up and lost are notifications; failed, refused and in doubt are attempts.",
        ["Recipient", *counts, "Latest by", "Last error", "Account"],
        [
            [
                wording.recipient(one.jid),
                *(
                    f"{count:,}" if count else ""
                    for count in (one.held_up, one.failed, one.rejected, one.doubted, one.lost)
                ),
                wording.seconds(one.longest_late) if one.longest_late is not None else "",
                one.last_error or "",
                one.account,
            ]
            for one in incident.recipients.rows
        ],
        "Nobody.",
        incident.recipients.left_out,
        frozenset(counts),
    )


def _causes(incident: Incident) -> Table:
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


def _losses(incident: Incident) -> Table:
    return Table(
        "losses",
        "What ended without success",
        "With the first cause of each, by time.",
        ["At", "State", "Recipient", "First cause", "Since then", "Account", "Notification"],
        [
            [
                telling.moment(incident, one.ended_at),
                one.state,
                wording.recipient(one.jid),
                _first_cause(one),
                "requeued" if one.requeued else "",
                one.account,
                str(one.notification),
            ]
            for one in incident.losses.rows
        ],
        "Nothing.",
        incident.losses.left_out,
    )


def _first_cause(one: Loss) -> str:
    if one.state == "cancelled":
        return f"withdrawn: {one.reason}" if one.reason else "withdrawn"
    if one.outage_cause:
        return telling.because(one.outage_cause, one.outage_reason)
    return one.error or "its turn did not come in time"


def _doubled(incident: Incident) -> Table:
    return Table(
        "doubled",
        "What may have arrived twice",
        "Sent again after an attempt that may have left; WhatsApp's ids tell the two apart.",
        ["Sent again", "Recipient", "Doubt", "Decision", "First id", "Second id", "Notification"],
        [
            [
                telling.moment(incident, one.sent_again_at),
                wording.recipient(one.jid),
                one.doubt or "",
                one.reason or "",
                one.first_message_id or "",
                one.second_message_id or "",
                str(one.notification),
            ]
            for one in incident.doubled.rows
        ],
        "Nothing.",
        incident.doubled.left_out,
    )


def _doubts(incident: Incident) -> Table:
    return Table(
        "doubts",
        "What is still in doubt",
        "It may have arrived or not, to this day.",
        ["Since", "Recipient", "Why", "Then", "Account", "Notification"],
        [
            [
                telling.moment(incident, one.since),
                wording.recipient(one.jid),
                one.error or "",
                "you decide: requeue or cancel" if one.held else "a receipt, or it is sent again",
                one.account,
                str(one.notification),
            ]
            for one in incident.doubts.rows
        ],
        "Nothing.",
        incident.doubts.left_out,
    )


def _timeline(incident: Incident) -> Table:
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
