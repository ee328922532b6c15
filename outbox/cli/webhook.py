"""`outbox webhook …`: who is told of events over HTTP."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outbox.cli.environment import read_settings
from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import DatabaseUrl, named, opened
from outbox.cli.terminal import Json, note, out, write_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from outbox.log.webhooks import Webhook

webhook = typer.Typer(no_args_is_help=True, help="Webhooks: who is told of events over HTTP.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the webhook, like shop.")]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="POSITION",
        show_default=False,
        help="The first position of the log that it is told of, or beginning.",
    ),
]

_STYLES = {"enabled": "green", "failing": "yellow", "disabled": "bold red"}


@webhook.command()
def create(
    name: Name,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where events are sent.")],
    event: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TYPE",
            show_default=False,
            help="A type of event that it is told of, like sent; may be repeated, all otherwise.",
        ),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only this account's events.", show_default=False),
    ] = None,
    from_: From = None,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a webhook and print the secret that its requests are signed with."""
    from outbox.log import webhooks  # noqa: PLC0415
    from outbox.webhooks import address  # noqa: PLC0415

    settings = read_settings(DATABASE_URL=named(database_url))
    with opened(database_url) as connection:
        try:
            address.judge(url, inside=settings.webhooks_inside)
            made = webhooks.create(
                connection,
                name,
                url,
                events=event or (),
                account=account,
                position=_position(from_),
            )
        except webhooks.WebhookError as error:
            raise Failure(ExitCode.REFUSED, str(error)) from None
    if json:
        write_json(_document(made) | {"secret": made.secret})
    else:
        out().print(made.secret, soft_wrap=True)
        note(f"The receiver verifies with it. It is kept: outbox webhook show {name}", "dim")


@webhook.command("list")
def list_(json: Json = False, database_url: DatabaseUrl = None) -> None:
    """List the webhooks and how they go, without their secrets."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from outbox.log import webhooks  # noqa: PLC0415

    with opened(database_url) as connection:
        found = webhooks.listed(connection)
    if json:
        write_json([_document(one) for one in found])
        return
    console = out()
    if not found:
        console.print("No webhook yet; make one: outbox webhook create NAME https://…")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    for heading in ("WEBHOOK", "STATE", "EVENTS", "URL", "REASON"):
        table.add_column(heading)
    for one in found:
        table.add_row(
            Text(one.name),
            Text(one.state, _STYLES[one.state]),
            Text(", ".join(one.events) or "all"),
            Text(one.url),
            Text(one.disabled_because or one.last_error or ""),
        )
    console.print(table)


@webhook.command()
def show(name: Name, json: Json = False, database_url: DatabaseUrl = None) -> None:
    """Show a webhook, with its secret."""
    from outbox.log import webhooks  # noqa: PLC0415

    with opened(database_url) as connection:
        try:
            found = webhooks.named(connection, name)
        except webhooks.UnknownWebhookError as error:
            raise Failure(ExitCode.NOT_FOUND, str(error)) from None
    document = _document(found) | {"secret": found.secret}
    if json:
        write_json(document)
        return
    for key, value in document.items():
        said = ", ".join(value) or "all" if isinstance(value, list) else value
        out().print(f"{key:<17} {'' if said is None else said}", soft_wrap=True, markup=False)


@webhook.command()
def enable(name: Name, json: Json = False, database_url: DatabaseUrl = None) -> None:
    """Let a webhook be told again, from where it stands and at once."""
    from outbox.log import webhooks  # noqa: PLC0415

    _changed(webhooks.enable, "enabled", name, json=json, url=database_url)


@webhook.command()
def disable(name: Name, json: Json = False, database_url: DatabaseUrl = None) -> None:
    """Let a webhook be told no more; it keeps its place in the log."""
    from outbox.log import webhooks  # noqa: PLC0415

    _changed(webhooks.disable, "disabled", name, json=json, url=database_url)


@webhook.command()
def delete(name: Name, json: Json = False, database_url: DatabaseUrl = None) -> None:
    """Forget a webhook, its secret and its place in the log."""
    from outbox.log import webhooks  # noqa: PLC0415

    _changed(webhooks.delete, "deleted", name, json=json, url=database_url)


@webhook.command()
def replay(
    name: Name,
    from_: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="POSITION",
            show_default=False,
            help="The first position of the log that it is told of again, or beginning.",
        ),
    ],
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Tell a webhook again of all from a position of the log on."""
    from outbox.log import webhooks  # noqa: PLC0415

    position = _position(from_) or 1

    def change(connection: Any, name: str) -> None:  # noqa: ANN401 - the log's connection
        webhooks.replay(connection, name, position)

    _changed(change, "replayed", name, json=json, url=database_url)


@webhook.command("test")
def try_out(name: Name, json: Json = False, database_url: DatabaseUrl = None) -> None:
    """Send a test event now, and say what came back; nothing else is changed."""
    from outbox.log import webhooks  # noqa: PLC0415
    from outbox.webhooks import envelope  # noqa: PLC0415
    from outbox.webhooks.request import post  # noqa: PLC0415

    settings = read_settings(DATABASE_URL=named(database_url))
    with opened(database_url) as connection:
        try:
            found = webhooks.named(connection, name)
        except webhooks.UnknownWebhookError as error:
            raise Failure(ExitCode.NOT_FOUND, str(error)) from None
        event = envelope.of_test(webhooks.origin(connection), name)
    answer = post(
        found.url,
        event.body.encode(),
        envelope.headers(event, found.secret),
        inside=settings.webhooks_inside,
    )
    if answer.error is not None:
        raise Failure(ExitCode.REFUSED, f"The webhook {name} failed: {answer.error}")
    if json:
        write_json({"name": name, "id": event.id, "status": answer.status})
    else:
        out().print(f"{name} answered {answer.status}.")


def _changed(
    change: "Callable[[Any, str], None]", done: str, name: str, *, json: bool, url: str | None
) -> None:
    from outbox.log import webhooks  # noqa: PLC0415

    with opened(url) as connection:
        try:
            change(connection, name)
        except webhooks.UnknownWebhookError as error:
            raise Failure(ExitCode.NOT_FOUND, str(error)) from None
        except webhooks.WebhookError as error:
            raise Failure(ExitCode.REFUSED, str(error)) from None
    if json:
        write_json({done: name})
    else:
        out().print(f"{done.capitalize()} {name}.")


def _position(text: str | None) -> int | None:
    if text is None or text.isdecimal():
        return int(text) if text else None
    if text == "beginning":
        return 1
    raise typer.BadParameter(f"--from cannot be {text!r}: write a position, as 4711, or beginning")


def _document(found: "Webhook") -> dict[str, Any]:
    hidden = ("secret", "owner", "due", "free")
    kept = {key: value for key, value in asdict(found).items() if key not in hidden}
    return {**kept, "state": found.state}
