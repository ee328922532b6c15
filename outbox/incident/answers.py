"""What happened, told in sentences: the top of every report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from outbox.incident.telling import because, moment, only_account, took_over, tries
from outbox.words import wording

if TYPE_CHECKING:
    from outbox.log.findings import Dead, Held, Incident, Outage

_MOST = 5
"""Sentences about the same; what is more often is told in sum, and listed below."""


class Answer(NamedTuple):
    """A question that everybody asks of an incident."""

    question: str
    sentences: list[str]


def answers(incident: Incident) -> list[Answer]:
    """Return what an incident is asked for, each answered in plain sentences."""
    return [
        Answer("What happened", _happened(incident)),
        Answer("Why", _why(incident)),
        Answer("Who was affected", _who(incident)),
        Answer("What was late, and by how much", _late(incident)),
        Answer("What ended without success", _lost(incident)),
        Answer("What may have arrived twice", _doubled(incident)),
        Answer("What is still open", _open(incident)),
    ]


def _happened(incident: Incident) -> list[str]:
    said = []
    outages = incident.outages
    if len(outages) > _MOST:
        down = wording.span(_down(incident))
        said.append(f"There were {len(outages):,} outages, {down} in all; the longest of them:")
        longest = sorted(outages, key=lambda one: one.duration)[-_MOST:]
        outages = sorted(longest, key=lambda one: one.began_at)
    said += [_outage(incident, one) for one in outages]
    if not said:
        said.append("No connection that stood was lost.")
    if incident.restarts.total > _MOST:
        return [*said, f"Another worker took over {incident.restarts.total:,} times."]
    several = only_account(incident) is None
    for restart in incident.restarts.rows:
        of = f" (account {restart.account})" if several else ""
        said.append(f"At {moment(incident, restart.at)} {took_over(restart)}{of}.")
    return said


def _down(incident: Incident) -> float:
    """Return for how many seconds connections did not stand, each as long as it took."""
    return sum(one.duration.total_seconds() for one in incident.outages)


def _outage(incident: Incident, one: Outage) -> str:
    began, took = moment(incident, one.began_at), wording.seconds(one.duration)
    failed = tries(incident, one)
    meanwhile = f"; {wording.number(failed, 'try', 'tries')} to connect failed" if failed else ""
    if one.ended_at is None:
        return f"Account {one.account} has not been connected since {began}, for {took}{meanwhile}."
    return (
        f"Account {one.account} was not connected from {began} to "
        f"{moment(incident, one.ended_at)}, for {took}{meanwhile}."
    )


def _why(incident: Incident) -> list[str]:
    if len(incident.outages) > _MOST:
        causes = Counter(because(one.cause, one.reason) for one in incident.outages)
        said = [
            f"{wording.number(times, 'outage')}: {why}." for why, times in causes.most_common(_MOST)
        ]
    else:
        said = [
            f"{moment(incident, one.began_at)}: {because(one.cause, one.reason)}."
            for one in incident.outages
        ]
    during = [one for one in incident.causes.rows if one.type != "expired"]
    said += [
        f"{wording.number(one.times, 'attempt')} of "
        f"{wording.number(one.notifications, 'notification')} went wrong: {one.error}."
        for one in sorted(during, key=lambda one: -one.times)[:3]
    ]
    return said or ["Nothing went wrong with a connection or an attempt."]


def _who(incident: Incident) -> list[str]:
    said = []
    for one in incident.held:
        said.append(
            f"Outages held up {wording.number(one.notifications, 'notification')} to "
            f"{wording.number(one.recipients, 'recipient')} of account {one.account}."
        )
        if one.erased:
            have = "has" if one.erased == 1 else "have"
            said.append(f"Of these recipients {one.erased:,} {have} been erased since.")
    if not said:
        said.append("Outages held up nothing.")
    if incident.recipients.total:
        said.append(
            f"In all {wording.number(incident.recipients.total, 'recipient')} "
            f"{'was' if incident.recipients.total == 1 else 'were'} affected: by an outage, by "
            f"attempts that went wrong, or because something ended without success."
        )
    return said


def _late(incident: Incident) -> list[str]:
    return [_how_late(one) for one in incident.held] or ["Nothing was late because of an outage."]


def _how_late(one: Held) -> str:
    became = [f"{one.sent:,} sent in the end"]
    if one.dead:
        became.append(f"{one.dead:,} ended without success")
    if one.waiting:
        became.append(f"{one.waiting:,} waiting to this day")
    if one.notifications == 1:
        return f"The one of account {one.account} was {wording.seconds(one.longest_late)} late."
    return (
        f"Of account {one.account} half were {wording.seconds(one.median_late)} late or more, the "
        f"latest {wording.seconds(one.longest_late)}; {', '.join(became)}."
    )


def _lost(incident: Incident) -> list[str]:
    by_account: dict[str, list[Dead]] = {}
    for one in incident.dead:
        by_account.setdefault(one.account, []).append(one)
    said = []
    for account, dead in by_account.items():
        counts = ", ".join(f"{one.notifications:,} {one.state}" for one in dead)
        total = sum(one.notifications for one in dead)
        requeued = sum(one.requeued for one in dead)
        again = f"; {requeued:,} of them had a new start since" if requeued else ""
        said.append(
            f"{wording.number(total, 'notification')} of account {account}: {counts}{again}."
        )
    return said or ["Nothing."]


def _doubled(incident: Incident) -> list[str]:
    total = incident.doubled.total
    if not total:
        return ["Nothing: nothing was sent again that may have left before."]
    it = "it was" if total == 1 else "they were"
    what = wording.number(total, "notification")
    return [f"{what}: {it} sent again after an attempt that may have left."]


def _open(incident: Incident) -> list[str]:
    said = [
        f"Account {one.account} is still not connected."
        for one in incident.outages
        if not one.ended_at
    ]
    said += [
        f"{wording.number(one.waiting, 'notification')} of account {one.account} that an outage "
        f"held up {'waits' if one.waiting == 1 else 'wait'} to this day."
        for one in incident.held
        if one.waiting
    ]
    if incident.doubts.total:
        held = any(one.held for one in incident.doubts.rows)
        said.append(
            f"{wording.number(incident.doubts.total, 'notification')} may have arrived or not; "
            + (
                "what is held waits for you: outbox list --state unknown."
                if held
                else "a receipt settles it, or it is sent again."
            )
        )
    if not said:
        said.append("Nothing of it.")
    first, last = incident.steps[0], incident.steps[-1]
    said.append(
        f"When the period began {_count(first.open_before)} open, when it ended "
        f"{last.open:,}, whatever they wait for."
    )
    return said


def _count(number: int) -> str:
    return f"{wording.number(number, 'notification')} {'was' if number == 1 else 'were'}"


def figures(incident: Incident) -> list[tuple[str, str]]:
    """Return the numbers that are looked at first, each with its name."""
    longest = max((one.longest_late for one in incident.held), default=None)
    return [
        ("not connected", wording.span(_down(incident)) if incident.outages else "0 s"),
        ("notifications held up", f"{sum(one.notifications for one in incident.held):,}"),
        ("recipients affected", f"{incident.recipients.total:,}"),
        ("the latest, late by", wording.seconds(longest) if longest else "0 s"),
        ("ended without success", f"{sum(one.notifications for one in incident.dead):,}"),
        ("maybe twice", f"{incident.doubled.total:,}"),
        ("open at most", f"{incident.open_at_most:,}"),
    ]
