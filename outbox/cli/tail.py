"""`outbox tail`: the log, live."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from outbox.cli.choosing import AccountFilter, moment
from outbox.cli.exits import ExitCode, Failure, one_line
from outbox.cli.opening import DatabaseUrl, opened
from outbox.cli.terminal import note, out, write_json_line
from outbox.words import narrative, wording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rich.text import Text

    from outbox.log.database import Connection
    from outbox.log.follow import Batch, Event

_LOOK_SECONDS = 0.2
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0


def tail(
    account: AccountFilter = None,
    type_: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            show_default=False,
            help="Only events of this type, may be repeated.",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            show_default=False,
            help="Begin there: 2026-01-31T12:00, or 10min for ten minutes ago; now unless given.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", metavar="", help="Write JSON, a line an event.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Follow the log: every event once, as soon as its transaction has committed; until Ctrl-C."""
    try:
        for event in _events(database_url, since):
            if account is not None and event.account != account:
                continue
            if type_ and event.type not in type_:
                continue
            if json:
                write_json_line(narrative.document(event))
            else:
                out().print(line(event), soft_wrap=True)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None  # it is how to end it


def _events(url: str | None, since: str | None) -> "Iterator[Event]":
    """Yield events, connecting again whenever the database was lost, and missing none of them."""
    import psycopg  # noqa: PLC0415

    last: Batch | None = None
    pause = _FIRST_PAUSE
    while True:
        try:
            for batch, events in _batches(url, since, last):
                last = batch
                if pause > _FIRST_PAUSE:
                    note("the database is back", "dim")
                pause = _FIRST_PAUSE
                yield from events
        except (Failure, psycopg.OperationalError, psycopg.InterfaceError) as error:
            if last is None or getattr(error, "code", ExitCode.NO_DATABASE) != ExitCode.NO_DATABASE:
                raise
            note(f"{one_line(error)}; trying again in {wording.span(pause)}", "yellow")
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _batches(
    url: str | None, since: str | None, last: "Batch | None"
) -> "Iterator[tuple[Batch, list[Event]]]":
    """Yield reads of the log on one connection, each with its events that are late enough."""
    from outbox.log.follow import Follower  # noqa: PLC0415

    with opened(url) as connection:
        start = moment(connection, "--since", since, -1) if last is None else None
        follower = Follower(connection, back=_back(connection, start))
        if last is not None:
            follower.move(last)
        while True:
            batch = follower.take()
            yield batch, [one for one in batch.events if start is None or one.recorded_at >= start]
            follower.move(batch)
            if batch.complete:
                time.sleep(_LOOK_SECONDS)


def _back(connection: "Connection", since: "datetime | None") -> int:
    from outbox.log.notifications import positions_since  # noqa: PLC0415

    return positions_since(connection, since) if since is not None else 0


def line(event: "Event", *, short: bool = False) -> "Text":
    """Return what an event says on one line, which a short one never breaks."""
    from rich.text import Text  # noqa: PLC0415

    stream = str(event.stream)
    if event.type in narrative.CONNECTIONS:
        stream = "connection"
    elif event.type in narrative.RECIPIENTS:
        stream = "recipient"
    return Text.assemble(
        (f"{event.recorded_at.astimezone():%H:%M:%S.%f}"[:-3], "dim"),
        f"  {event.account}  ",
        (f"{event.type:<15}", narrative.EVENT_STYLES.get(event.type, "")),
        f"  {stream}  ",
        (narrative.told(event), "dim"),
        no_wrap=short,
        overflow="ellipsis" if short else None,
    )
