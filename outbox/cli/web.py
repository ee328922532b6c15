"""`outbox web`: serve the HTTP API, until told to stop."""

import os
import socket
from typing import TYPE_CHECKING, Annotated

import typer

from outbox.cli.environment import linking, read_settings
from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import DatabaseUrl, named, opened
from outbox.cli.starter import UntilStdinCloses, end_with_starter

if TYPE_CHECKING:
    from outbox.session.linking import Linking
    from outbox.settings import Settings


def web(
    host: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            show_default=False,
            help="Where to listen; every address where PORT is set, otherwise 127.0.0.1.",
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(metavar="NUMBER", envvar="PORT", min=0, max=65535, help="The port.")
    ] = 8000,
    json: Annotated[
        bool, typer.Option("--json", metavar="", help="Log JSON, a line an entry.")
    ] = False,
    database_url: DatabaseUrl = None,
    until_stdin_closes: UntilStdinCloses = False,
) -> None:
    """Serve the pages and the HTTP API, until SIGTERM or Ctrl-C; then finish what has begun."""
    from outbox import logs  # noqa: PLC0415
    from outbox.web.serving import run_web  # noqa: PLC0415

    if until_stdin_closes:
        end_with_starter()
    settings = read_settings(DATABASE_URL=named(database_url))
    with opened(settings.database_url):
        pass  # refuse to start on a schema that this release does not work with
    # Heroku sets PORT, and reaches the process from outside.
    address = host or ("0.0.0.0" if os.environ.get("PORT") else "127.0.0.1")  # noqa: S104
    logs.configure("json" if json else settings.log_format, settings.log_level)
    run_web(settings, _listen(address, port), _linking(settings))


def _linking(settings: "Settings") -> "Linking | str":
    """Return what links accounts, or why nothing does, which is no reason not to serve the rest."""
    try:
        return linking(settings)
    except Failure as why:
        return str(why)


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except OSError as error:
        raise Failure(
            ExitCode.USAGE,
            f"Nothing can listen on {address}, port {port}: {error.strerror}; "
            f"give another --host or --port",
        ) from error
