"""The webhooks: whether their receivers take what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.cli.checks.finding import Finding, broken, ok, warning

if TYPE_CHECKING:
    from outbox.log.database import Connection


def delivery(connection: Connection) -> Finding:
    """No webhook is disabled, and none fails."""
    from outbox.log import webhooks  # noqa: PLC0415

    found = webhooks.listed(connection)
    disabled = [f"{one.name}: {one.disabled_because}" for one in found if one.disabled_at]
    if disabled:
        return broken(
            f"disabled: {'; '.join(disabled)}",
            "mend the receiver, then: outbox webhook enable NAME, which goes on where it stood; "
            "or outbox webhook delete NAME",
        )
    failing = [f"{one.name}: {one.last_error}" for one in found if one.failures]
    if failing:
        return warning(
            f"failing: {'; '.join(failing)}", "mend the receiver: after a day it is disabled"
        )
    return ok(f"{len(found)} in good order" if found else "none")
