"""`outbox bench`: measure the outbox beside other queues."""

import os
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer

from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import DatabaseUrl, named
from outbox.cli.terminal import Json, note, out, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator


def bench(
    rounds: Annotated[
        int, typer.Option(metavar="NUMBER", min=1, help="How often everybody is measured.")
    ] = 5,
    subject: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", show_default=False, help="Measure only this one, may be repeated."
        ),
    ] = None,
    conditions: Annotated[
        bool,
        typer.Option(
            "--conditions",
            metavar="",
            help="Measure the outbox alone: with a long history, with a long queue, and while an "
            "open transaction keeps vacuum from working.",
        ),
    ] = False,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Measure the outbox beside other queues, on a server where databases may be made."""
    from outbox.bench.database import NotDurableError  # noqa: PLC0415
    from outbox.bench.report import tables  # noqa: PLC0415
    from outbox.bench.run import run  # noqa: PLC0415
    from outbox.bench.subject import SUBJECTS  # noqa: PLC0415

    unknown = sorted(set(subject or ()) - set(SUBJECTS))
    if unknown:
        raise typer.BadParameter(
            f"There is no subject {', '.join(unknown)}: the subjects are {', '.join(SUBJECTS)}"
        )
    if conditions:
        _conditions(rounds, json=json, database_url=database_url)
        return
    with server_url(database_url) as url, _children_on_stderr():
        try:
            result = run(
                url,
                rounds=rounds,
                subjects=subject or tuple(SUBJECTS),
                progress=lambda line: note(line, "dim"),
            )
        except NotDurableError as error:
            raise Failure(ExitCode.NO_DATABASE, str(error)) from error
    if json:
        write_json(result.as_dict())
    else:
        out().print(tables(result))


def _conditions(rounds: int, *, json: bool, database_url: str | None) -> None:
    from dataclasses import asdict  # noqa: PLC0415

    from rich.table import Table  # noqa: PLC0415

    from outbox import logs  # noqa: PLC0415
    from outbox.bench.conditions import measure  # noqa: PLC0415
    from outbox.bench.workload import Workload  # noqa: PLC0415

    logs.configure("text", "warning")
    with server_url(database_url) as url:
        found = measure(
            url, rounds=rounds, count=Workload().queued, progress=lambda line: note(line, "dim")
        )
    if json:
        write_json([asdict(condition) for condition in found])
        return
    table = Table(title=f"Notifications drained a second, medians of {rounds} rounds")
    table.add_column("the database")
    table.add_column("a second (lowest - highest)", justify="right")
    table.add_column("beside the empty one", justify="right")
    for condition in found:
        rates = sorted(condition.drained)
        table.add_row(
            condition.name,
            f"{median(rates):,.0f} ({rates[0]:,.0f} - {rates[-1]:,.0f})",
            f"{condition.beside_empty:.2f}",
        )
    out().print(table)


@contextmanager
def _children_on_stderr() -> "Iterator[None]":
    """Let what the subjects' processes print, whatever they are, go where no result is expected."""
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)


@contextmanager
def server_url(given: str | None) -> "Iterator[str]":
    """Hand out the server that is named, or the embedded one, which is stopped if it was."""
    if given:
        yield named(given)
        return
    from outbox import embedded  # noqa: PLC0415

    server = embedded.server()
    was = server.running
    try:
        yield server.start().url()
    finally:
        if not was:
            server.stop()
