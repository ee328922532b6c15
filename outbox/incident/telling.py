"""How a report says things: moments, causes, who took over from whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.words import narrative

if TYPE_CHECKING:
    from datetime import datetime

    from outbox.log.findings import Incident, Outage, Restart

_CAUSES = {
    "draining": "its worker was stopping, as for a restart or a deploy",
    "lease_lost": "its worker did not renew the lease in time, so it died or was cut off",
    "lease_acquired": "a worker took the account over while the connection stood",
}
"""What ends a connection that stood, where the event's own words say less."""


def moment(incident: Incident, at: datetime) -> str:
    """Return a moment in the reader's time zone; without its date where all is of one day."""
    local = at.astimezone()
    days = {local.date(), incident.since.astimezone().date(), incident.until.astimezone().date()}
    return f"{local:%H:%M:%S}" if len(days) == 1 else f"{local:%Y-%m-%d %H:%M:%S}"


def only_account(incident: Incident) -> str | None:
    """Return the account that the whole report is about, if it is about one."""
    accounts = incident.accounts | {one.account for one in incident.bands}
    return min(accounts) if len(accounts) == 1 else incident.account


def title(incident: Incident) -> str:
    """Return what the report is about."""
    account = only_account(incident)
    of = f" of account {account}" if account else ""
    since = f"{incident.since.astimezone():%Y-%m-%d %H:%M}"
    return f"Incident{of}, {since} to {_end(incident)}"


def because(cause: str, reason: str | None) -> str:
    """Return what an event and its reason say about why a connection ended."""
    words = _CAUSES.get(cause) or narrative.CONNECTIONS.get(cause, cause)
    return f"{words}: {reason}" if reason else words


def tries(incident: Incident, outage: Outage) -> int:
    """Return how many tries to connect failed during an outage."""
    end = outage.ended_at or incident.now
    # The one that did not fail ends with the outage, or goes on.
    return sum(
        one.account == outage.account
        and one.state == "connecting"
        and outage.began_at <= one.began
        and one.ended < end
        for one in incident.bands
    )


def took_over(one: Restart) -> str:
    """Return which worker took an account over from which, in a sentence without its end."""
    earlier = {
        "lease_lost": "which had not renewed its lease",
        "lease_released": "which had stopped",
    }.get(one.earlier_end or "", "")
    same = one.worker == one.earlier_worker
    who = f"{one.worker} came back" if same else f"{one.worker} took over from {one.earlier_worker}"
    if one.release != one.earlier_release:
        who += f" with release {one.release} in place of {one.earlier_release}"
    return f"{who}, {earlier}" if earlier and not same else who + _own(one)


def _own(one: Restart) -> str:
    return " after it had not renewed its lease" if one.earlier_end == "lease_lost" else ""


def _end(incident: Incident) -> str:
    local, first = incident.until.astimezone(), incident.since.astimezone()
    return f"{local:%H:%M}" if local.date() == first.date() else f"{local:%Y-%m-%d %H:%M}"
