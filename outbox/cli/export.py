"""`outbox export`: all that is held of a person."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from outbox.cli.exits import ExitCode, Failure
from outbox.cli.forget import RecipientArgument
from outbox.cli.opening import DatabaseUrl, opened
from outbox.cli.terminal import Json, note


def export(
    recipient: RecipientArgument,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", show_default=False, help="Write it here, where no file is yet."
        ),
    ] = None,
    json: Json = False,  # noqa: ARG001 - it is JSON in any case
    database_url: DatabaseUrl = None,
) -> None:
    """Write all that is held of a person, as one JSON document."""
    from outbox.log.export import export as pieces  # noqa: PLC0415

    with opened(database_url) as connection:
        found = pieces(connection, recipient)
        first = next(found)  # refused before a file is made
        if to is None:
            sys.stdout.write(first)
            sys.stdout.writelines(found)
            return
        try:
            with to.open("x", encoding="utf-8") as file:
                to.chmod(0o600)
                file.write(first)
                file.writelines(found)
        except OSError as error:
            raise Failure(ExitCode.USAGE, f"{to} cannot be written: {error.strerror}") from None
    note(f"Written to {to}, which only you can read.", "dim")
