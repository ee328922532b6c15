"""The rounds: which checks are made, in which order, and what is left out for want of what."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from outbox.cli.checks import account, database, load, machine, schema, server, webhooks
from outbox.cli.checks.finding import Finding, broken, examined, ok, warning
from outbox.cli.environment import read_settings
from outbox.cli.exits import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from outbox.cli.checks.finding import Line
    from outbox.log.database import Connection
    from outbox.settings import Settings


def rounds(url: str | None, size_limit: int | None) -> Iterator[Line]:
    """Make all checks that can be made, one after another.

    Args:
        url: Of the database, as it was given.
        size_limit: How many bytes the database may have.
    """
    settings, found = _settings(url)
    yield examined("settings", lambda: found)
    yield examined("session", partial(machine.session, settings))
    yield examined("ffmpeg", machine.ffmpeg)
    yield examined("neonize", partial(machine.neonize, settings))
    with ExitStack() as stack:
        opened: list[Connection] = []
        yield examined("database", partial(database.reached, stack, opened, url))
        if opened:
            yield from _of_database(opened[0], settings, size_limit)
        else:
            yield _left_out("the server, the schema, the load and the accounts", "the database")


def _of_database(
    connection: Connection, settings: Settings, size_limit: int | None
) -> Iterator[Line]:
    yield examined("version", partial(server.version, connection))
    yield examined("TLS", partial(server.tls, connection))
    yield examined("durability", partial(server.durability, connection))
    yield examined("round trip", partial(server.round_trip, connection))
    yield examined("clocks", partial(server.clocks, connection))
    # Before LISTEN, whose own connection would be counted along for a moment.
    yield examined("connections", partial(load.connections, connection, settings))
    yield examined("LISTEN", partial(server.listening, connection, settings))
    yield examined("transactions", partial(load.horizon, connection))
    revision = examined("schema", partial(schema.revision, connection))
    yield revision
    if revision.seen == schema.NO_OUTBOX.seen:
        yield _left_out("the log, its size and the accounts", "the schema")
        return
    yield examined("partitions", partial(schema.partitions, connection))
    yield examined("guards", partial(schema.guards, connection))
    yield examined("restore", partial(schema.restore, connection))
    yield examined("seals", partial(schema.seals, connection))
    yield examined("vacuum", partial(load.vacuum, connection))
    yield examined("size", partial(load.size, connection, size_limit or settings.database_limit))
    yield examined("webhooks", partial(webhooks.delivery, connection))
    yield from _of_accounts(connection, settings)


def _of_accounts(connection: Connection, settings: Settings) -> Iterator[Line]:
    patients: list[account.Patient] = []

    def look() -> Finding:
        patients.extend(account.patients(connection, settings))
        return ok(", ".join(one.name for one in patients) or "none")

    yield examined("accounts", look)
    for patient in patients:
        for name, check in _named(connection, patient):
            yield examined(f"{patient.name}: {name}", check)


def _named(
    connection: Connection, patient: account.Patient
) -> Iterator[tuple[str, Callable[[], Finding]]]:
    yield "owner", partial(account.owner, patient)
    yield "connection", partial(account.standing, patient)
    yield "login", partial(account.login, connection, patient)
    yield "pace", partial(account.pace, patient)
    yield "queue", partial(account.queue, patient)
    yield "dead letters", partial(account.dead_letters, connection, patient)


def _settings(url: str | None) -> tuple[Settings, Finding]:
    """Return the settings, or their defaults where the environment says what cannot be."""
    from outbox.settings import Settings  # noqa: PLC0415

    try:
        settings = read_settings(DATABASE_URL=url or "")
    except Failure as failure:
        return Settings.model_construct(database_url=url or ""), broken(
            str(failure), "correct it; until then the checks below go by the defaults"
        )
    if not settings.accounts:
        return settings, broken("OUTBOX_ACCOUNTS names no account", "set it, as to: main")
    return settings, ok(f"a worker here serves {', '.join(settings.accounts)}")


def _left_out(what: str, cause: str) -> Line:
    return examined(
        "the rest",
        lambda: warning(f"not checked: {what}", f"mend {cause} first, then run: outbox doctor"),
    )
