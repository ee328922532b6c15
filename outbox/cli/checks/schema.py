"""The schema: its revision, the log's partitions and guards, and which restore this is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.cli.checks.finding import Finding, broken, ok, warning
from outbox.words.wording import number, span

if TYPE_CHECKING:
    from outbox.log.database import Connection
    from outbox.log.examination import Trigger

_SEALED_WITHIN = 300.0
"""Seconds; a worker seals every minute."""

NO_OUTBOX = broken("the database has no outbox yet", "run: outbox migrate")


def revision(connection: Connection) -> Finding:
    """It is this release's, or a newer one's."""
    from outbox.log import schema  # noqa: PLC0415

    found, newest = schema.revision(connection), schema.known()[-1]
    if found is None:
        return NO_OUTBOX
    if found == newest:
        return ok(f"revision {found}, this release's")
    if found not in schema.known():
        return warning(
            f"revision {found} is newer than {newest}, the last one that this release knows",
            "deploy the release that migrated; until then this one works with it",
        )
    return broken(
        f"revision {found} is older than {newest}, which this release needs",
        "run: outbox migrate",
    )


def partitions(connection: Connection) -> Finding:
    """The log takes events of this month and of the coming ones."""
    from outbox.log import examination  # noqa: PLC0415

    found = examination.partitions(connection)
    missing = [one for one in found if not one.attached]
    if not missing:
        return ok(f"{found[0].name} to {found[-1].name}")
    names = ", ".join(f"outbox.{one.name}" for one in missing)
    advice = "run: outbox worker, which makes them; or in SQL: select outbox.create_partitions()"
    detached = [one.name for one in missing if one.there]
    if detached:
        advice = f"attach again what was detached ({', '.join(detached)}); then {advice}"
    if missing[0].current:
        return broken(f"{names} missing: nothing can be enqueued or recorded", advice)
    return warning(f"{names} missing: from then on nothing could be enqueued", advice)


def guards(connection: Connection) -> Finding:
    """Nothing changes the log, and everything that is appended is projected."""
    from outbox.log import examination  # noqa: PLC0415

    if examination.server(connection).replication_role == "replica":
        return broken(
            "session_replication_role is replica: no guard and no projection fires",
            "reset it for the database and the role; then run: outbox replay --check",
        )
    failing = examination.failing_triggers(connection)
    if failing:
        return broken(
            ", ".join(
                f"trigger {one.name} of outbox.{one.relation} is {one.state}" for one in failing
            ),
            f"find out what was changed since; in SQL: {'; '.join(map(_mended, failing))}",
        )
    return ok("in place on the log, on every partition and on the seals")


def restore(connection: Connection) -> Finding:
    """After a logical restore followers begin a new epoch."""
    from outbox.log import examination  # noqa: PLC0415

    found = examination.restore(connection)
    if found.unnoticed:
        return warning(
            f"the database was restored from a dump after epoch {found.epoch} began "
            f"({found.began_at:%Y-%m-%d}), and no worker has noticed it yet",
            "start outbox worker (again), which begins a new epoch",
        )
    return ok(f"epoch {found.epoch}, since {found.began_at:%Y-%m-%d}")


def seals(connection: Connection) -> Finding:
    """What was appended comes under a seal within a minute or so."""
    from outbox.log import followers  # noqa: PLC0415
    from outbox.log.seal import CONSUMER, is_empty  # noqa: PLC0415

    lag = next((one for one in followers.lags(connection) if one.consumer == CONSUMER), None)
    if lag is None and is_empty(connection):
        return ok("nothing to seal yet")
    if lag is None:
        return warning("no worker has sealed the log yet", "start: outbox worker")
    if lag.seconds > _SEALED_WITHIN:
        return warning(
            f"events wait for their seal for {span(lag.seconds)}, some {lag.positions:,} of them",
            "see that a worker runs, and what its log says of the job seal",
        )
    return ok(
        "everything is sealed" if not lag.positions else number(lag.positions, "event") + " to seal"
    )


def _mended(one: Trigger) -> str:
    """Return the statement that puts a trigger back, as the migration made it."""
    if one.state == "disabled":
        return f"alter table outbox.{one.relation} enable trigger {one.name}"
    create = "create or replace" if one.state == "changed" else "create"
    if one.name != "guard":
        return (
            f"{create} trigger {one.name} after insert on outbox.event referencing new table as "
            f"added for each statement execute function outbox.{one.name}()"
        )
    insert = "" if one.relation in {"event", "seal"} else "insert or "
    return (
        f"{create} trigger guard before {insert}update or delete or truncate on "
        f"outbox.{one.relation} for each statement execute function outbox.refuse_change()"
    )
