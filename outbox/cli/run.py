"""`outbox run`: the HTTP API and the worker in one process group, for a machine of one command."""

import os
from typing import Annotated

import typer

from outbox.cli.environment import read_settings
from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import DatabaseUrl, named


def run(
    port: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            envvar="PORT",
            min=0,
            max=65535,
            show_default=False,
            help="The port of the HTTP API; 8000 unless given.",
        ),
    ] = None,
    keep_alive_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="KEEP_ALIVE_URL",
            show_default=False,
            help="This service's own address, asked for every 20 minutes against falling asleep.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", metavar="", help="Log JSON, a line an entry.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Run web, worker and sessions together, until SIGTERM, Ctrl-C, or the end of one of them."""
    from outbox import logs  # noqa: PLC0415
    from outbox.group.alive import keep_alive  # noqa: PLC0415
    from outbox.group.processes import run_group  # noqa: PLC0415

    settings = read_settings(DATABASE_URL=named(database_url))
    if keep_alive_url and not keep_alive_url.startswith(("http://", "https://")):
        raise Failure(
            ExitCode.USAGE,
            f"KEEP_ALIVE_URL cannot be {keep_alive_url!r}: give the address of this service, such "
            f"as https://example.com/healthz",
        )
    logs.configure("json" if json else settings.log_format, settings.log_level)
    if keep_alive_url:
        keep_alive(keep_alive_url)
    more = ["--json"] if json else []
    web = ["web", *more, *(["--port", str(port)] if port is not None else [])]
    members = {"web": web, "worker": ["worker", *more]}
    code = run_group(members, os.environ | {"DATABASE_URL": settings.database_url})
    if code:
        raise typer.Exit(code)
