"""`outbox cancel`: withdraw notifications that are not sent yet."""

from typing import Annotated

import typer

from outbox.cli.opening import DatabaseUrl, opened
from outbox.cli.person import person
from outbox.cli.terminal import Json, out, write_json
from outbox.words import wording


def cancel(
    notification: Annotated[
        list[str], typer.Argument(metavar="ID", help="Their ids, or the beginnings of them.")
    ],
    reason: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Why, for whoever reads the log.", show_default=False),
    ] = None,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Withdraw notifications that are pending or of unknown outcome; all of them or none."""
    from outbox.log import notifications  # noqa: PLC0415

    with opened(database_url) as connection:
        found = [notifications.find(connection, one) for one in notification]
        notifications.cancel(connection, found, reason, person())
    if json:
        write_json({"cancelled": found})
    else:
        out().print(f"Cancelled {wording.number(len(found), 'notification')}.")
