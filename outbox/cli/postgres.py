"""`outbox postgres …`: the embedded PostgreSQL, a server of one's own on this machine."""

import os
import shutil
from typing import TYPE_CHECKING

import typer

from outbox.cli.exits import ExitCode, Failure
from outbox.cli.terminal import Json, note, out, write_json

if TYPE_CHECKING:
    from outbox.embedded import Server

postgres = typer.Typer(no_args_is_help=True, help="The embedded PostgreSQL, a server of your own.")


@postgres.command()
def start(json: Json = False) -> None:
    """Start it unless it runs, and print its URL, which DATABASE_URL takes."""
    server = _server()
    was = server.running
    _print(server.start(), json=json)
    note("It runs already." if was else "Started; it runs until: outbox postgres stop", "dim")


@postgres.command()
def stop(json: Json = False) -> None:
    """Stop it; what is in it stays."""
    server = _server()
    was = server.running
    server.stop()
    if json:
        write_json({"running": False, "was_running": was})
    else:
        out().print("Stopped." if was else "It was not running.")


@postgres.command()
def url(json: Json = False) -> None:
    """Print its URL, whether it runs or not."""
    server = _server()
    _print(server, json=json)
    if not server.running:
        note("It is not running; start it: outbox postgres start", "yellow")


@postgres.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def psql(context: typer.Context) -> None:
    """Open psql on it; what follows is psql's: outbox postgres psql -c 'table outbox.lease'."""
    program = shutil.which("psql")
    if program is None:
        raise Failure(
            ExitCode.USAGE,
            "There is no psql on this machine, and the embedded PostgreSQL brings none: install "
            "PostgreSQL's client (Debian: postgresql-client)",
        )
    server = _server()
    if not server.running:
        raise Failure(
            ExitCode.NO_DATABASE,
            "The embedded PostgreSQL is not running; start it: outbox postgres start",
        )
    os.execv(program, [program, server.url(), *context.args])  # noqa: S606 - no shell


def _server() -> "Server":
    from outbox import embedded  # noqa: PLC0415

    return embedded.server()


def _print(server: "Server", *, json: bool) -> None:
    if json:
        write_json({"url": server.url(), "running": server.running, "home": str(server.home)})
    else:
        out().print(server.url(), soft_wrap=True)
