"""The load: whether a worker gets its connections, and what keeps the database from its upkeep."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from outbox.archive.policy import FULL
from outbox.cli.checks.finding import Finding, broken, ok, warning
from outbox.delivery.traces import are_wanted
from outbox.words import wording

if TYPE_CHECKING:
    from outbox.log.database import Connection
    from outbox.log.examination import Connected
    from outbox.settings import Settings

LONG_SECONDS = 300.0
"""A transaction that is open for longer keeps vacuum from what died since."""
_SHOWN = 4
"""How many of a list are named."""


def needed(settings: Settings) -> tuple[int, int]:
    """Return how many connections a worker has at rest, and at most for a moment.

    One for its jobs, and one if it tells traces; for each account its owner's, its listener's if
    that has a way of its own, and with WhatsApp two of whatsmeow's, sometimes three. For a moment
    the owner fetches media.
    """
    own = 1 + are_wanted()
    whatsapp = settings.session.startswith("whatsapp:")
    rest = 1 + bool(settings.listen_url) + (2 if whatsapp else 0)
    accounts = len(settings.accounts)
    return own + accounts * rest, own + accounts * (rest + 1 + (1 if whatsapp else 0))


def connections(connection: Connection, settings: Settings) -> Finding:
    """A worker for the accounts that are configured gets its connections."""
    from outbox.log import examination  # noqa: PLC0415

    limit = min(examination.limits(connection), key=lambda one: one.free)
    there = examination.connected(connection)
    held = sum(one.number for one in there if _is_workers(one, settings))
    rest, most = needed(settings)
    seen = (
        f"{limit.used} of {limit.allowed} in use ({limit.name}): {_names(there)}; a worker for "
        f"{wording.number(len(settings.accounts), 'account')} needs {rest}, for moments {most}"
    )
    free = limit.free + held
    advice = (
        "close what is not needed, serve fewer accounts (OUTBOX_ACCOUNTS), put other programs "
        "behind a pooler, or raise the limit (on Heroku: a larger plan)"
    )
    if free < rest:
        return broken(f"{seen}: does not fit", advice)
    if free < most:
        return warning(f"{seen}: fits, but not in every moment", advice)
    return ok(seen)


def horizon(connection: Connection) -> Finding:
    """No transaction is open for long."""
    from outbox.log import examination  # noqa: PLC0415

    found = examination.long_open(connection, LONG_SECONDS)
    if not found:
        seen = f"no transaction is open for longer than {wording.span(LONG_SECONDS)}"
        hidden = sum(one.number for one in examination.connected(connection) if one.is_hidden)
        sessions = wording.number(hidden, "session")
        return ok(f"{seen}, so far as can be seen: {sessions} of other roles" if hidden else seen)
    named = ", ".join(
        f"{f'pid {one.pid}' if one.pid else 'prepared transaction'} {one.application} "
        f"({one.state}, open for {wording.span(one.seconds)})"
        for one in found[:_SHOWN]
    )
    ends = [
        f"select pg_terminate_backend({one.pid})"
        if one.pid
        else "rollback prepared '{}'".format(one.application.replace("'", "''"))
        for one in found[:_SHOWN]
    ]
    return warning(
        f"{named}{_more(len(found))}: vacuum cannot clean up what died since",
        f"end it in its program, or in SQL: {'; '.join(ends)}",
    )


def vacuum(connection: Connection) -> Finding:
    """Vacuum keeps up with what dies."""
    from outbox.log import examination  # noqa: PLC0415

    found = examination.dead_rows(connection)
    if not found:
        return ok("no table holds many dead rows")
    now = datetime.now(UTC)
    named = ", ".join(
        f"{one.name} ({one.dead:,} dead rows beside {one.live:,}, "
        + (f"vacuumed {wording.ago(one.vacuumed_at, now)} ago)" if one.vacuumed_at else "never)")
        for one in found[:_SHOWN]
    )
    return warning(
        f"vacuum has not kept up: {named}{_more(len(found))}",
        f"see that no transaction is open for long and autovacuum is on; "
        f"then in SQL: vacuum {found[0].name}",
    )


def size(connection: Connection, limit: int | None) -> Finding:
    """The database has room to grow."""
    from outbox.log import examination  # noqa: PLC0415

    found = examination.sizes(connection)
    parts = (
        f"log {wording.size(found.log)}, content {wording.size(found.content)}, "
        f"media {wording.size(found.media)}, WhatsApp's tables {wording.size(found.whatsapp)}"
    )
    if limit is None:
        return ok(f"{wording.size(found.database)}: {parts}")
    share = found.database / limit
    seen = f"{wording.size(found.database)}, {share:.0%} of {wording.size(limit)}: {parts}"
    advice = "move to a larger plan, or delete what of the application's is not needed any more"
    if share >= 1:
        return broken(f"{seen}; whoever set the limit may forbid to write, as Heroku does", advice)
    if share >= FULL:
        return warning(seen, advice)
    return ok(seen)


def _is_workers(one: Connected, settings: Settings) -> bool:
    """Whether these are of a worker that serves the accounts here already."""
    kinds = ("owner", "listener", "media", "store", "whatsapp")
    names = {f"outbox {kind} {account}" for kind in kinds for account in settings.accounts}
    return one.here and one.application in names | {"outbox jobs", "outbox traces"}


def _names(there: list[Connected]) -> str:
    named = [f"{one.number} {one.application}" for one in there[:_SHOWN]]
    rest = sum(one.number for one in there[_SHOWN:])
    return ", ".join([*named, *([f"{rest} more"] if rest else [])]) or "nobody else"


def _more(count: int) -> str:
    return f" and {count - _SHOWN} more" if count > _SHOWN else ""
