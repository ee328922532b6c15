"""An account: who owns it, where its connection stands, and what becomes of its notifications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outbox.cli.checks.finding import Finding, broken, ok, warning
from outbox.words import wording

if TYPE_CHECKING:
    from datetime import datetime

    from outbox.log.database import Connection
    from outbox.log.login import Login
    from outbox.log.overview import Account
    from outbox.settings import Settings

OLD_SECONDS = 3600.0
"""Whoever has waited for longer, though it could be sent, waits for something that is wrong."""

_ADVICE = {
    "waiting": "nothing, it connects by itself; to hurry: outbox resume {}",
    "disconnected": "nothing, it connects by itself; to hurry: outbox resume {}",
    "fenced": "find the other client that is connected as this device, and stop it",
    "pairing": "scan the code that outbox pair {} shows",
    "logged_out": "look at the phone, then run: outbox pair {}",
    "banned": "write less: lower the pace in outbox.policy before it is over",
    "outdated": "upgrade neonize, deploy, then run: outbox resume {}",
    "halted": "stop what the reason names (another client?), then run: outbox resume {}",
}
"""What to do in each state that is not as it should be; docs/whatsapp.md says more."""
_BROKEN = {"logged_out", "banned", "outdated", "halted"}
"""States in which nothing is sent until somebody does something."""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is known of an account.

    Attributes:
        name: The account's.
        now: The database's time.
        account: Where it stands; None if no worker has owned it and nothing was enqueued.
        login: As whom it is paired; None if it has neither connection nor login.
        settings: Of a worker on this machine.
    """

    name: str
    now: datetime
    account: Account | None
    login: Login | None
    settings: Settings

    @property
    def configured(self) -> bool:
        """Whether a worker with these settings serves it."""
        return self.name in self.settings.accounts


def patients(connection: Connection, settings: Settings) -> list[Patient]:
    """Return every account that is configured here or known to the database."""
    from outbox.log.login import logins  # noqa: PLC0415
    from outbox.log.overview import overview  # noqa: PLC0415

    seen = overview(connection)
    known = {one.account: one for one in seen.accounts}
    paired = {one.account: one for one in logins(connection)}
    names = sorted({*known, *paired, *settings.accounts})
    return [
        Patient(name, seen.database.now, known.get(name), paired.get(name), settings)
        for name in names
    ]


def owner(one: Patient) -> Finding:
    """A worker owns it, and is alive."""
    found = one.account
    run = f"run: outbox worker --account {one.name}"
    if found and found.lapsed and found.lease_until:
        return broken(
            f"the lease of {wording.worker(found.worker) or found.owner} lapsed "
            f"{wording.ago(found.lease_until, one.now)} ago, and no worker has rescued it",
            run,
        )
    if found and found.owned:
        who = f"{wording.worker(found.worker) or found.owner}, epoch {found.epoch}"
        if found.lacks_ffmpeg:
            return warning(
                f"{who}, has no ffmpeg: voice messages that are not Ogg Opus are refused",
                "install ffmpeg where that worker runs, and start it anew",
            )
        return ok(who)
    if found and found.open:
        waiting = wording.number(found.open, "notification")
        return broken(f"no worker owns it, and {waiting} cannot be sent", run)
    if one.configured:
        return warning("no worker owns it; nothing waits", run)
    return ok("no worker owns it; nothing waits, and OUTBOX_ACCOUNTS does not name it")


def standing(one: Patient) -> Finding:
    """Its connection is up, or comes up by itself."""
    if one.account is None:
        return ok("never had one")
    words = wording.connection(one.account, one.now)[0]
    state = one.account.state
    advice = _ADVICE.get(state, "").format(one.name)
    if state in _BROKEN:
        return broken(words, advice)
    return warning(words, advice) if advice else ok(words)


def login(connection: Connection, one: Patient) -> Finding:
    """It is paired, and WhatsApp has not taken the device away."""
    from outbox.log.store import is_device  # noqa: PLC0415

    found = one.login
    if found is None or found.jid is None or found.paired_at is None:
        if not one.settings.session.startswith("whatsapp:"):
            return ok("none, and OUTBOX_SESSION needs none")
        if not one.configured:
            return ok("none, and OUTBOX_ACCOUNTS does not name it")
        return broken("not paired: nothing can be sent", f"run: outbox pair {one.name}")
    if not is_device(connection, found.jid):
        return broken(
            "paired, but its device is gone from the store: WhatsApp has logged it out",
            f"look at the phone, then run: outbox pair {one.name}",
        )
    return ok(f"paired since {wording.clock(found.paired_at, one.now)}, its device is there")


def pace(one: Patient) -> Finding:
    """WhatsApp does not hold it back."""
    found = one.account
    if found is None or not found.paced:
        return ok("nothing has been paced yet")
    seen = "; ".join(wording.pace(found, one.now)) or "may send now"
    if found.next_send_reason == "throttled" or found.next_stranger_reason == "restricted":
        return warning(seen, "wait, and lower the pace in outbox.policy: docs/whatsapp.md")
    if found.next_stranger_reason == "strangers":
        return warning(
            seen, "wait; who writes for years may do more: strangers_a_day in outbox.policy"
        )
    return ok(seen)


def queue(one: Patient) -> Finding:
    """What could be sent is sent soon, and nothing waits for an operator."""
    found = one.account
    if found is None or not found.open:
        return ok("empty")
    seen = ", ".join(
        f"{count:,} {name}"
        for name, count in (
            ("pending", found.pending),
            ("sending", found.sending),
            ("unknown", found.unknown),
        )
        if count
    )
    seen += f"; the oldest was enqueued {wording.ago(found.oldest, one.now)} ago"
    if found.held:
        held = wording.number(found.held, "notification")
        return warning(
            f"{seen}; {held} of unknown outcome held for you",
            f"look: outbox list --account {one.name} --state unknown; "
            "then outbox requeue or outbox cancel",
        )
    if found.due and found.oldest and (one.now - found.oldest).total_seconds() > OLD_SECONDS:
        return warning(
            f"{seen}; {found.due:,} could be sent now",
            f"see its owner, connection and pace; why one waits: "
            f"outbox list --account {one.name} --state pending",
        )
    return ok(seen)


def dead_letters(connection: Connection, one: Patient) -> Finding:
    """Nothing has ended without success since yesterday; what is older is counted along."""
    from outbox.log import examination  # noqa: PLC0415

    if one.account is None or not one.account.dead:
        return ok("none")
    total = ", ".join(f"{count:,} {state}" for state, count in sorted(one.account.dead.items()))
    recent = examination.dead_letters(connection, one.name)
    if not recent:
        return ok(f"none since yesterday; in all {total}")
    named = ", ".join(f"{count:,} {state}" for state, count in recent.items())
    return warning(
        f"{named} since yesterday; in all {total}",
        f"look: outbox list --account {one.name} --state dead; "
        f"mend what failed, then run: outbox requeue --account {one.name} --state dead",
    )
