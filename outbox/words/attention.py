"""What an operator should look at, a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.words import wording

if TYPE_CHECKING:
    from outbox.log.overview import Overview

_WAYS = {
    "halted": "; then: outbox resume {}",
    "banned": "; then: outbox resume {}",
    "outdated": "; then: outbox resume {}",
    "logged_out": "; run: outbox pair {}",
    "pairing": "",
}
"""States from which an operator leads out, and how."""


def attention(found: Overview) -> list[str]:
    """Return what an operator should look at, a sentence each."""
    now = found.database.now
    warnings: list[str] = []
    for one in found.accounts:
        if one.lapsed and one.lease_until:
            warnings.append(
                f"{one.account}: the lease of {wording.worker(one.worker) or one.owner} lapsed "
                f"{wording.ago(one.lease_until, now)} ago and no worker has rescued it; "
                f"run: outbox worker"
            )
        elif one.open and not one.owned:
            warnings.append(
                f"{one.account}: {wording.number(one.open, 'notification')} "
                f"{'waits' if one.open == 1 else 'wait'} and no worker owns the account; "
                f"run: outbox worker --account {one.account}"
            )
        if one.state in _WAYS:
            way = _WAYS[one.state].format(one.account)
            warnings.append(f"{one.account}: {wording.connection(one, now)[0]}{way}")
        if one.next_send_reason == "throttled" or one.next_stranger_reason == "restricted":
            warnings += [f"{one.account}: {said}" for said in wording.pace(one, now)]
        if one.held:
            warnings.append(
                f"{one.account}: {wording.number(one.held, 'notification')} of unknown outcome "
                f"held for you; look: outbox list --account {one.account} --state unknown"
            )
    warnings += [
        f"webhook {one.name} is disabled: {one.disabled_because}; then: outbox webhook enable "
        f"{one.name}"
        for one in found.webhooks
        if one.disabled_at
    ]
    until = found.database.partitions_until
    if until is None or (until - now).days < 14:  # noqa: PLR2004 - made three months ahead
        warnings.append(
            "The log has no partition for the coming weeks: a running worker makes them; "
            "run: outbox worker"
        )
    return warnings
