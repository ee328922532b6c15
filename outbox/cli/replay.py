"""`outbox replay`: the log read again, to look back, to check, to walk through, to rebuild."""

from typing import Annotated

import typer

from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import DatabaseUrl
from outbox.cli.terminal import Json


def replay(
    notification: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="With --step: the events of this notification; its id, or the beginning of it.",
            show_default=False,
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            show_default=False,
            help="Rebuild the outbox as it was then, 2026-01-31T12:00, or 2h for two hours ago, "
            "in a schema that stays open to any query.",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", metavar="", help="Rebuild all, and name each row that is not the same live."
        ),
    ] = False,
    step: Annotated[
        bool,
        typer.Option(
            "--step", metavar="", help="Walk through the events, with the state after each."
        ),
    ] = False,
    swap: Annotated[
        bool,
        typer.Option(
            "--swap",
            metavar="",
            help="Rebuild the live projections by rules that have changed, while delivery goes on.",
        ),
    ] = False,
    incident: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="FROM TO",
            show_default=False,
            help="Write the report of a period: what happened, who was affected, why, and what was "
            "how late; as HTML, as Markdown, and the events as JSON lines.",
        ),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", metavar="", help="List the schemas that --until has made.")
    ] = False,
    drop: Annotated[
        str | None, typer.Option(metavar="SCHEMA", show_default=False, help="Drop one of them.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="SCHEMA", show_default=False, help="With --until: what to call the schema."
        ),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default=False,
            help="With --step and --incident: only this account's events.",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", show_default=False, help="With --step: begin there."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            show_default=False,
            help="With --incident: where to; the current folder otherwise.",
        ),
    ] = None,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Replay the log, by the rules that project it live: look back, check, step, report, rebuild.

    One of --until, --check, --step, --swap, --incident, --list and --drop says what to do.
    """
    modes = {
        "--until": until is not None,
        "--check": check,
        "--step": step,
        "--swap": swap,
        "--incident": incident is not None,
        "--list": list_,
        "--drop": drop is not None,
    }
    chosen = [mode for mode, given in modes.items() if given]
    if len(chosen) != 1:
        raise Failure(
            ExitCode.USAGE,
            f"Give one of {', '.join(modes)}, not {' and '.join(chosen) or 'none'}; "
            f"see: outbox replay --help",
        )
    for option, given, of in (
        ("--name", name, {"--until"}),
        ("an ID", notification, {"--step"}),
        ("--account", account, {"--step", "--incident"}),
        ("--since", since, {"--step"}),
        ("--to", to, {"--incident"}),
    ):
        if given is not None and chosen[0] not in of:
            raise Failure(ExitCode.USAGE, f"{chosen[0]} takes no {option.removeprefix('an ')}")

    from outbox.cli.replaying import (  # noqa: PLC0415
        checking,
        keeping,
        reporting,
        stepping,
        swapping,
    )

    if until is not None:
        keeping.keep(database_url, until, name, json=json)
    elif check:
        checking.check(database_url, json=json)
    elif step:
        stepping.step(database_url, notification, account, since, json=json)
    elif swap:
        swapping.swap(database_url, json=json)
    elif incident is not None:
        reporting.report(database_url, *incident, to=to, account=account, json=json)
    elif drop is not None:
        keeping.drop(database_url, drop, json=json)
    else:
        keeping.show(database_url, json=json)
