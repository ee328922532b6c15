"""`outbox top`: the state of everything, live on the terminal."""

import itertools
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

import typer

from outbox.cli.exits import ExitCode, Failure, one_line
from outbox.cli.keys import pressed
from outbox.cli.opening import DatabaseUrl, opened
from outbox.cli.recent import MINUTE, Recent
from outbox.cli.tail import line
from outbox.cli.terminal import note, out, write_json_line
from outbox.words import narrative, wording
from outbox.words.attention import attention

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Group, RenderableType
    from rich.table import Table

    from outbox.log.database import Connection
    from outbox.log.follow import Cursor, Event, Follower
    from outbox.log.overview import Overview

_READS = 20
"""Of the log for one look, a thousand events each: in a storm the events lag, the queues do not."""


@dataclass(frozen=True)
class _Look:
    """What was seen at one moment."""

    found: "Overview"
    events: "list[Event]" = field(default_factory=list)
    """What the log has gained since the look before."""
    lost: str = ""
    """Why the database could not be asked, so that the rest is older."""


def top(
    interval: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0.1, max=3600, help="From one refresh to the next."),
    ] = 2.0,
    json: Annotated[
        bool, typer.Option("--json", metavar="", help="Write JSON, a line a refresh.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Show accounts, queues, rates, errors and events as they come, until q or Ctrl-C."""
    recent = Recent()
    try:
        looks = _looks(database_url, recent)
        first = next(looks)  # what is wrong at once is said before anything is drawn
        if not json and not sys.stdout.isatty():
            raise Failure(
                ExitCode.USAGE,
                "It draws on a terminal, and stdout is none: give --json, or look once with: "
                "outbox status",
            )
        with pressed() as wait, _written(recent) if json else _drawn(recent) as show:
            for look in itertools.chain([first], looks):
                show(look)
                if wait(interval) == "q":
                    return
    except KeyboardInterrupt:
        raise typer.Exit(0) from None  # it is how to end it


def _looks(url: str | None, recent: Recent) -> "Iterator[_Look]":
    """Look whenever asked to, connecting again if the database was lost, and missing no event."""
    import psycopg  # noqa: PLC0415

    from outbox.log.follow import Follower  # noqa: PLC0415
    from outbox.log.overview import overview  # noqa: PLC0415

    last: _Look | None = None
    cursor: Cursor | None = None
    while True:
        try:
            with opened(url) as connection:
                back = _back(connection) if cursor is None else 0
                follower = Follower(connection, back=back, cursor=cursor)
                while True:
                    events, cursor = _read(follower)
                    found = overview(connection)
                    recent.take(events)
                    recent.forget(found.database.now)
                    last = _Look(found, events)
                    yield last
        except (Failure, psycopg.OperationalError, psycopg.InterfaceError) as error:
            if last is None or getattr(error, "code", ExitCode.NO_DATABASE) != ExitCode.NO_DATABASE:
                raise
            last = replace(last, events=[], lost=one_line(error))
            yield last


def _back(connection: "Connection") -> int:
    """Return how far back the last minute reaches."""
    from outbox.log.intake import moment  # noqa: PLC0415
    from outbox.log.notifications import positions_since  # noqa: PLC0415

    return positions_since(connection, moment(connection, f"{MINUTE}s", -1))


def _read(follower: "Follower") -> "tuple[list[Event], Cursor]":
    """Read what the log has gained; return it, and what has been seen with it."""
    batch = follower.take()
    follower.move(batch)
    events = batch.events
    for _ in range(_READS):
        if batch.complete:
            break
        batch = follower.take()
        follower.move(batch)
        events += batch.events
    return events, batch.after


@contextmanager
def _written(recent: Recent) -> "Iterator[Callable[[_Look], None]]":
    """Write looks as JSON."""

    def write(look: _Look) -> None:
        if look.lost:
            note(f"{look.lost}; trying again", "yellow")
            return
        accounts = [
            asdict(one)
            | {
                "owned": one.owned,
                "sent_a_minute": recent.sent(one.account),
                "failed_a_minute": recent.failed(one.account),
            }
            for one in look.found.accounts
        ]
        write_json_line(
            {
                "now": look.found.database.now,
                "accounts": accounts,
                "attention": attention(look.found),
                "errors": [narrative.document(one) for one in recent.errors],
                "events": [narrative.document(one) for one in look.events],
            }
        )

    yield write


@contextmanager
def _drawn(recent: Recent) -> "Iterator[Callable[[_Look], None]]":
    """Draw looks over each other, on a screen that is gone afterwards."""
    from rich.live import Live  # noqa: PLC0415

    with Live(console=out(), screen=True, auto_refresh=False) as live:
        yield lambda look: live.update(_screen(look, recent), refresh=True)


def _screen(look: _Look, recent: Recent) -> "Group":
    from rich.console import Group  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    now = wording.clock(look.found.database.now)
    title = Text.assemble(("outbox top", "bold"), f"  {look.found.database.database}, {now}")
    title.append("  q ends it", "dim")
    if look.lost:
        title.append(f"\n{look.lost}; trying again", "yellow")
    parts: list[RenderableType] = [title, "", _table(look.found, recent), ""]
    warnings = [
        Text.assemble(("! ", "yellow"), warning, no_wrap=True, overflow="ellipsis")
        for warning in attention(look.found)
    ]
    if warnings:
        parts += [*warnings, ""]
    # The newest first: what the screen has no room for is the oldest.
    if recent.errors:
        errors = [line(one, short=True) for one in reversed(recent.errors)]
        parts += [Text("LAST ERRORS", "bold"), *errors, ""]
    parts.append(Text("EVENTS", "bold"))
    parts += [line(one, short=True) for one in reversed(recent.events)]
    return Group(*parts)


def _table(found: "Overview", recent: Recent) -> "Table":
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("ACCOUNT", no_wrap=True)
    table.add_column("CONNECTION", ratio=1)
    for name in ("PENDING", "SENDING", "UNKNOWN", "OLDEST", "SENT/MIN", "FAILED/MIN", "DEAD"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found.accounts:
        table.add_row(
            Text(one.account, style="bold"),
            Text(*wording.connection(one, found.database.now)),
            *(f"{count:,}" for count in (one.pending, one.sending, one.unknown)),
            wording.ago(one.oldest, found.database.now),
            f"{recent.sent(one.account):,}",
            f"{recent.failed(one.account):,}",
            f"{sum(one.dead.values()):,}",
        )
    return table
