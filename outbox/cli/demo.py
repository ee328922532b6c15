"""`outbox demo`: the outbox at work, without WhatsApp."""

from pathlib import Path
from typing import Annotated

import typer

from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import DatabaseUrl, named
from outbox.cli.terminal import Json, err, out, write_json


def demo(
    svg: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False, help="Write a picture of it, too."),
    ] = None,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Show a worker killed and a connection lost, and count what arrived: nothing is lost.

    It makes a database of its own on the server that is named, or on the embedded one.
    """
    from outbox.demo import run  # noqa: PLC0415

    url = named(database_url) if database_url else None
    adds_up = run(url, err() if json else out(), svg=svg)
    if json:
        write_json({"adds_up": adds_up})
    if not adds_up:
        raise Failure(
            ExitCode.UNEXPECTED, "It does not add up: please report it, with the database"
        )
