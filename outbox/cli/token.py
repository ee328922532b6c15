"""`outbox token …`: who may use the HTTP API, and for what."""

from dataclasses import asdict
from typing import Annotated

import typer

from outbox.cli.choosing import duration
from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import DatabaseUrl, opened
from outbox.cli.terminal import Json, note, out, write_json
from outbox.words import wording

token = typer.Typer(no_args_is_help=True, help="Tokens of the HTTP API: who may do what.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Who bears it, like shop.")]

_STYLES = {"valid": "green", "expired": "yellow", "revoked": "dim"}


@token.command()
def create(
    name: Name,
    scope: Annotated[
        list[str],
        typer.Option(
            metavar="SCOPE",
            show_default=False,
            help="What it is for, may be repeated: enqueue, read, operate, or admin for all.",
        ),
    ],
    expires_in: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            show_default=False,
            help="How long it is valid, like '90 days'; for ever unless given.",
        ),
    ] = None,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a token and print it, this once: only its digest is kept."""
    from outbox.log import tokens  # noqa: PLC0415

    with opened(database_url) as connection:
        length = duration(connection, "--expires-in", expires_in)
        try:
            created = tokens.create(connection, name, scope, length)
        except tokens.TokenError as error:
            raise Failure(ExitCode.REFUSED, str(error)) from None
    if json:
        write_json(
            {
                "name": name,
                "token": created.secret,
                "scopes": sorted(set(scope), key=tokens.SCOPES.index),
                "expires_at": created.expires_at,
            }
        )
    else:
        out().print(created.secret, soft_wrap=True)
        note("Keep it now: it is shown this once. Whoever has it can use it.", "dim")


@token.command("list")
def list_(json: Json = False, database_url: DatabaseUrl = None) -> None:
    """List the tokens, expired and revoked ones too."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from outbox.log import tokens  # noqa: PLC0415

    with opened(database_url) as connection:
        found = tokens.listed(connection)
    if json:
        write_json([asdict(one) for one in found])
        return
    console = out()
    if not found:
        console.print("No token yet; make one: outbox token create NAME --scope enqueue")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    for heading in ("TOKEN", "STATE", "SCOPES", "CREATED", "EXPIRES"):
        table.add_column(heading)
    for one in found:
        table.add_row(
            Text(one.name),
            Text(one.state, _STYLES[one.state]),
            Text(", ".join(one.scopes)),
            Text(wording.clock(one.created_at)),
            Text(wording.clock(one.expires_at) if one.expires_at else "never"),
        )
    console.print(table)


@token.command()
def revoke(name: Name, json: Json = False, database_url: DatabaseUrl = None) -> None:
    """Let a token be valid no longer, at once; its name stays taken."""
    from outbox.log import tokens  # noqa: PLC0415

    with opened(database_url) as connection:
        try:
            tokens.revoke(connection, name)
        except tokens.UnknownTokenError as error:
            raise Failure(ExitCode.NOT_FOUND, str(error)) from None
    if json:
        write_json({"revoked": name})
    else:
        out().print(f"Revoked {name}.")
