"""`outbox replay --until`: the outbox as it was at a moment, in a schema for any query."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from outbox.cli.choosing import moment
from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import opened
from outbox.cli.progress import replaying
from outbox.cli.terminal import out, write_json
from outbox.words import wording

if TYPE_CHECKING:
    from datetime import datetime


def keep(url: str | None, until: str, name: str | None, *, json: bool) -> None:
    """Rebuild the projections as they were at a moment, and say how to ask them.

    Raises:
        typer.BadParameter: The moment is none, or lies ahead; or the name cannot be.
    """
    from outbox.archive import file  # noqa: PLC0415
    from outbox.log import replays  # noqa: PLC0415
    from outbox.log.replay import last_position  # noqa: PLC0415

    with opened(url) as connection:
        then = moment(connection, "--until", until, -1)
        now = moment(connection, "--until", "0s", -1)
        if then is None or now is None or then > now:
            raise typer.BadParameter(f"--until {until} lies ahead: nothing is known of it yet")
        try:
            with replaying(last_position(connection)) as progress:
                schema = replays.keep(connection, then, name, progress, file.lines)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        found = replays.standing(connection, schema)
    if json:
        write_json({"schema": schema, "until": then, **asdict(found)})
        return
    console = out()
    console.print(f"{schema}: the outbox as it was at {_clock(then)}", style="bold")
    states = (f"{count:,} {state}" for state, count in found.notifications.items())
    total = wording.number(sum(found.notifications.values()), "notification")
    console.print(f"  {': '.join(filter(None, (total, ', '.join(states))))}", soft_wrap=True)
    console.print(f"  {wording.number(found.recipients, 'recipient')} with counters")
    for account, state in found.connections.items():
        console.print(f"  account {account}: {state}", soft_wrap=True, markup=False)
    console.print("Ask it as you ask the live one, with its name in place of outbox:")
    console.print(f"  table {schema}.notification;", soft_wrap=True, markup=False)
    console.print(f"Drop it when you are done: outbox replay --drop {schema}", soft_wrap=True)


def show(url: str | None, *, json: bool) -> None:
    """List the schemas that are kept."""
    from outbox.log import replays  # noqa: PLC0415

    with opened(url) as connection:
        found = replays.kept(connection)
    if json:
        write_json([asdict(one) for one in found])
        return
    if not found:
        out().print("No replay is kept; make one with: outbox replay --until TIME")
    for one in found:
        what = (
            f"as it was at {_clock(one.until)}"
            if one.until
            else "left behind by a swap that was killed"
        )
        made = f"made {_clock(one.made_at)}, {wording.size(one.bytes)}"
        out().print(f"{one.schema}: {what}; {made}", soft_wrap=True)


def drop(url: str | None, schema: str, *, json: bool) -> None:
    """Drop one of them.

    Raises:
        Failure: There is none of this name.
    """
    from outbox.log import replays  # noqa: PLC0415

    with opened(url) as connection:
        if not replays.drop(connection, schema):
            raise Failure(
                ExitCode.NOT_FOUND,
                f"There is no replay {schema}; see those that are there with: outbox replay --list",
            )
    if json:
        write_json({"dropped": schema})
    else:
        out().print(f"Dropped {schema}.", soft_wrap=True)


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
