"""`outbox worker`: deliver for the accounts, until told to stop."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import DatabaseUrl, named, opened

if TYPE_CHECKING:
    from outbox.log.store import WhatsmeowStore
    from outbox.session.port import OpenSession
    from outbox.settings import Settings


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
            help="whatsapp: or simulated://HOST:PORT; OUTBOX_SESSION otherwise.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", metavar="", help="Log JSON, a line an entry.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Deliver for the accounts, until SIGTERM or Ctrl-C; then drain, and give them back."""
    from outbox import logs  # noqa: PLC0415
    from outbox.delivery.worker import run_worker  # noqa: PLC0415

    settings = read_settings(
        DATABASE_URL=named(database_url), accounts=account or None, session=session
    )
    open_session = opener(settings)
    with opened(settings.database_url):
        pass  # refuse to start on a schema that this release does not work with
    logs.configure("json" if json else settings.log_format, settings.log_level)
    run_worker(settings, open_session)


def read_settings(**given: Any) -> "Settings":  # noqa: ANN401 - of any type that a setting has
    """Return the settings of the environment, overridden by what the command line gave.

    Raises:
        Failure: The environment says something that cannot be.
    """
    from pydantic import ValidationError  # noqa: PLC0415

    from outbox.settings import Settings  # noqa: PLC0415

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False)[0]
        name = str(wrong["loc"][0]) if wrong["loc"] else "the settings"
        variable = name if name.isupper() else f"OUTBOX_{name.upper()}"
        raise Failure(
            ExitCode.USAGE,
            f"{variable} cannot be {wrong['input']!r}: {wrong['msg']}; see docs/settings.md",
        ) from None


def opener(settings: "Settings") -> "OpenSession":
    """Return what opens sessions at the URL that the settings name.

    Raises:
        Failure: There are no such sessions.
    """
    url = settings.session
    try:
        if url.startswith("simulated:"):
            from outbox.session.simulated import open_simulated  # noqa: PLC0415

            return open_simulated(url)
        if url.startswith("whatsapp:"):
            from outbox.session.whatsapp.session import open_whatsapp  # noqa: PLC0415

            return open_whatsapp(url, store(settings))
    except ValueError as error:
        raise Failure(ExitCode.USAGE, f"OUTBOX_SESSION: {error}") from None
    raise Failure(
        ExitCode.USAGE,
        f"There is no session for {url}: set OUTBOX_SESSION=whatsapp:, or to try without WhatsApp "
        f"run outbox phone and set OUTBOX_SESSION=simulated://HOST:PORT",
    )


def store(settings: "Settings") -> "WhatsmeowStore":
    """Return the store of logins.

    Raises:
        Failure: It cannot be reached directly.
    """
    from outbox.log.store import WhatsmeowStore  # noqa: PLC0415

    if settings.direct_url is None:
        raise Failure(
            ExitCode.USAGE,
            "OUTBOX_POOLED says that DATABASE_URL leads through a pooler, which whatsmeow cannot "
            "use: set OUTBOX_LISTEN_URL to a direct way to the database",
        )
    return WhatsmeowStore(settings.direct_url)
