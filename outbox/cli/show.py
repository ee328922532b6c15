"""`outbox show`: one notification, and everything that happened to it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from outbox.cli.opening import DatabaseUrl, opened
from outbox.cli.terminal import Json, out, write_json
from outbox.words import narrative, wording

if TYPE_CHECKING:
    from datetime import datetime

    from rich.table import Table

    from outbox.log.notifications import Happened, Shown


def show(
    notification: Annotated[
        str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.")
    ],
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Show one notification: what it is, where it stands and why, what comes next, its timeline."""
    from outbox.log import notifications  # noqa: PLC0415

    with opened(database_url) as connection:
        found = notifications.find(connection, notification)
        shown = notifications.show(connection, found)
        events = notifications.timeline(connection, found)
    if json:
        write_json(asdict(shown) | {"events": [asdict(one) for one in events]})
        return
    console = out()
    console.print(_facts(shown))
    console.print()
    away = narrative.away(shown, events)
    if away:
        console.print(f"{away}\n", style="dim", soft_wrap=True)
    if events:
        console.print(_timeline(events))


def _facts(shown: "Shown") -> "Table":
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    style = f"bold {wording.STATE_STYLES.get(shown.state, '')}".strip()
    state = Text.assemble((shown.state, style), f", {narrative.meaning(shown)}")
    for name, value in (
        ("notification", Text(str(shown.id), style="bold")),
        ("recipient", Text(_recipient(shown))),
        ("content", Text(narrative.content(shown))),
        ("state", state),
        ("next", Text(narrative.next_step(shown))),
        ("options", Text(narrative.options(shown))),
    ):
        if value.plain:
            table.add_row(name, value)
    return table


def _recipient(shown: "Shown") -> str:
    name = wording.recipient(shown.jid)
    jid = f" ({shown.jid})" if shown.jid and name != shown.jid else ""
    return f"{name}{jid} by account {shown.account}"


def _timeline(events: "list[Happened]") -> "Table":
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("TIME", no_wrap=True, justify="right")
    table.add_column("AFTER", no_wrap=True, justify="right", style="dim")
    table.add_column("EVENT", no_wrap=True)
    table.add_column("WHAT HAPPENED")
    day = epoch = ""
    before: datetime | None = None
    for event in events:
        local = event.recorded_at.astimezone()
        date = f"{local:%Y-%m-%d}"
        by = str(event.metadata.get("epoch", ""))
        told = narrative.told(event)
        if by and by != epoch:  # said once for all that one worker recorded in a row
            told += f"  [{', '.join(filter(None, (wording.worker(event.worker), f'epoch {by}')))}]"
        table.add_row(
            f"{date + ' ' if date != day else ''}{local:%H:%M:%S.%f}"[:-3],
            f"+{wording.span((event.recorded_at - before).total_seconds())}" if before else "",
            Text(event.type, style=narrative.EVENT_STYLES.get(event.type, "")),
            Text(told),
        )
        day, epoch, before = date, by or epoch, event.recorded_at
    return table
