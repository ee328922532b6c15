"""`outbox worker`: deliver for the accounts, until told to stop."""

from typing import Annotated

import typer

from outbox.cli.environment import read_settings, sessions
from outbox.cli.opening import DatabaseUrl, named, opened
from outbox.cli.starter import UntilStdinCloses, end_with_starter


def worker(
    account: Annotated[
        list[str] | None,
        typer.Option(
            "--account",
            metavar="NAME",
            show_default=False,
            help="An account to serve, may be repeated; OUTBOX_ACCOUNTS otherwise.",
        ),
    ] = None,
    session: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            show_default=False,
            help="whatsapp:, simulated://HOST:PORT or simulated:; OUTBOX_SESSION otherwise.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", metavar="", help="Log JSON, a line an entry.")
    ] = False,
    database_url: DatabaseUrl = None,
    until_stdin_closes: UntilStdinCloses = False,
) -> None:
    """Deliver for the accounts, until SIGTERM or Ctrl-C; then drain, and give them back."""
    from outbox import logs  # noqa: PLC0415
    from outbox.delivery.worker import run_worker  # noqa: PLC0415

    if until_stdin_closes:
        end_with_starter()
    settings = read_settings(
        DATABASE_URL=named(database_url), accounts=account or None, session=session
    )
    with sessions(settings) as open_session:
        with opened(settings.database_url):
            pass  # refuse to start on a schema that this release does not work with
        logs.configure("json" if json else settings.log_format, settings.log_level)
        run_worker(settings, open_session)
