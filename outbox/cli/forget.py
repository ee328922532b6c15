"""`outbox forget`: erase a person."""

from typing import Annotated

import typer

from outbox.cli.opening import DatabaseUrl, opened
from outbox.cli.person import person
from outbox.cli.terminal import Json, note, out, write_json
from outbox.words import wording

RecipientArgument = Annotated[
    str,
    typer.Argument(
        metavar="RECIPIENT", help="A number like +447700900123, a JID or a recipient's id."
    ),
]
"""Whom a command is about."""


def forget(
    recipient: RecipientArgument,
    reason: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            show_default=False,
            help="Why, for whoever reads the log, which keeps it: nothing personal.",
        ),
    ] = None,
    wait: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0,
            max=3600,
            help="How long to wait for what is being sent, and for other transactions.",
        ),
    ] = 120,
    yes: Annotated[bool, typer.Option("--yes", metavar="", help="Do not ask.")] = False,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Erase a person: number, bodies, media, keys; cancel what is pending. The log stays."""
    from outbox.log import forgetting  # noqa: PLC0415

    with opened(database_url) as connection:
        if not yes:
            typer.confirm(
                f"Erase everything that is held of {recipient}? It cannot be undone.",
                abort=True,
                err=True,
            )
        found = forgetting.forget_within(connection, recipient, wait, reason, person())
    if json:
        write_json(found._asdict())
        return
    parts = (
        (found.cancelled, "notification cancelled", "notifications cancelled"),
        (found.contents, "body", "bodies"),
        (found.media, "medium", "media"),
        (found.keys, "idempotency key", "idempotency keys"),
        (found.whatsapp, "row of whatsmeow's", "rows of whatsmeow's"),
    )
    said = ", ".join(f"{number} {one if number == 1 else many}" for number, one, many in parts)
    out().print(f"Forgotten: {said}.")
    if found.named_elsewhere:
        named = wording.number(found.named_elsewhere, "message")
        note(f"The number is still written in {named} to others, which are theirs.", "yellow")
