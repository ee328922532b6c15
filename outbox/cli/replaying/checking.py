"""`outbox replay --check`: whether the projections are what the log makes of them."""

from __future__ import annotations

import json as json_
import sys
from typing import TYPE_CHECKING

import typer

from outbox.cli.exits import ExitCode
from outbox.cli.opening import opened
from outbox.cli.progress import counter, replaying
from outbox.cli.terminal import out
from outbox.words.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from outbox.log.replay import Difference


def check(url: str | None, *, json: bool) -> None:
    """Rebuild everything in one snapshot, name each row that differs, and leave nothing behind.

    Raises:
        typer.Exit: With its own code if any differs.
    """
    from outbox.archive import file  # noqa: PLC0415
    from outbox.log import replay  # noqa: PLC0415
    from outbox.log.replays import standing  # noqa: PLC0415

    with opened(url) as connection:
        last = replay.last_position(connection)
        with replay.one_snapshot(connection, force_rollback=True):
            schema = replay.fresh_name()
            with replaying(last) as progress:
                replay.rebuild(connection, schema, None, progress, archived=file.lines)
            found = standing(connection, schema)
            with counter("rows that differ") as count:
                differences = _counted(replay.differences(connection, schema), count)
                rows = {
                    "notification": sum(found.notifications.values()),
                    "recipient": found.recipients,
                    "connection": len(found.connections),
                }
                differing = _write(rows, differences) if json else _tell(differences)
    if not json:
        said = ", ".join(number(many, what) for what, many in rows.items())
        if differing:
            out().print(
                f"The projections are not what the log says: {number(differing, 'row')} "
                f"{'differs' if differing == 1 else 'differ'}; see docs/replay.md",
                style="bold red",
                soft_wrap=True,
            )
        else:
            out().print(f"The projections are what the log says: {said}.", style="green")
    if differing:
        raise typer.Exit(ExitCode.DIFFERENT)


def _counted(differences: Iterator[Difference], count: Any) -> Iterator[Difference]:  # noqa: ANN401
    for one in differences:
        count(1)
        yield one


def _write(rows: dict[str, int], differences: Iterator[Difference]) -> int:
    """Write one JSON document, however many rows differ, holding one of them at a time."""
    write = sys.stdout.write
    write(f'{{\n  "rows": {json_.dumps(rows)},\n  "differences": [')
    differing = 0
    for one in differences:
        document = {
            "projection": one.projection,
            "key": one.key,
            "account": one.account,
            "live": one.live is not None,
            "replayed": one.replayed is not None,
            "columns": {
                name: {"live": live, "replayed": replayed}
                for name, (live, replayed) in one.columns.items()
            },
        }
        write(f"{',' if differing else ''}\n    {json_.dumps(document, ensure_ascii=False)}")
        differing += 1
    write("\n  ]\n}\n" if differing else "]\n}\n")
    return differing


def _tell(differences: Iterator[Difference]) -> int:
    """Say of each row what differs; return how many there were."""
    console = out()
    differing = 0
    for one in differences:
        differing += 1
        console.print(_sentence(one), soft_wrap=True, markup=False)
    return differing


def _sentence(one: Difference) -> str:
    what = f"{one.projection} {one.key}"
    if one.projection != "connection":
        what += f" of account {one.account}"
    if one.live is None:
        return f"{what} is missing: the log has it"
    if one.replayed is None:
        return f"{what} is not from the log: it has no such {one.projection}"
    columns = (
        f"{name} is {_shown(live)}, by the log {_shown(replayed)}"
        for name, (live, replayed) in one.columns.items()
    )
    return f"{what}: {'; '.join(columns)}"


def _shown(value: object) -> str:
    return "null" if value is None else str(value)
