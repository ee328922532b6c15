"""The lists of what was affected: notifications and recipients, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.incident import telling
from outbox.incident.table import Table
from outbox.words import wording

if TYPE_CHECKING:
    from outbox.log.findings import Incident, Loss


def late(incident: Incident) -> Table:
    """List what outages held up."""
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


def recipients(incident: Incident) -> Table:
    """List whom it affected."""
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


def losses(incident: Incident) -> Table:
    """List what ended without success."""
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


def doubled(incident: Incident) -> Table:
    """List what may have arrived twice."""
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


def doubts(incident: Incident) -> Table:
    """List what is still in doubt."""
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
