"""`outbox webhook …`: who is told of events over HTTP."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from outbox.cli.environment import read_settings
from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import DatabaseUrl, named, opened
from outbox.cli.terminal import Json, note, out, write_json
from outbox.words import wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from outbox.log.database import Connection

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
    from outbox.webhooks.subscription import subscribe  # noqa: PLC0415

    settings = read_settings(DATABASE_URL=named(database_url))
    made = subscribe(
        opened(database_url),
        name,
        url,
        inside=settings.webhooks_inside,
        events=event or (),
        account=account,
        position=None if from_ is None else _position(from_),
    )
    if json:
        write_json(asdict(made.webhook) | {"secret": made.secret})
    else:
        out().print(made.secret, soft_wrap=True)
        note(f"The receiver verifies with it. It is kept: outbox webhook show {name}", "dim")


@webhook.command("list")
def list_(json: Json = False, database_url: DatabaseUrl = None) -> None:
    """List the webhooks and how they go, without their secrets."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from outbox.log.notifications import clock  # noqa: PLC0415
    from outbox.webhooks import standing  # noqa: PLC0415
    from outbox.words import webhooks as words  # noqa: PLC0415

    with opened(database_url) as connection:
        found, now = standing.listed(connection), clock(connection)
    if json:
        write_json([asdict(one) for one in found])
        return
    console = out()
    if not found:
        console.print("No webhook yet; make one: outbox webhook create NAME https://…")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    for heading in ("WEBHOOK", "STANDS", "BEHIND", "EVENTS", "URL"):
        table.add_column(heading)
    for one in found:
        table.add_row(
            Text(one.name),
            Text(*words.standing(one, now)),
            Text(f"{one.behind} ({wording.span(one.behind_seconds)})" if one.behind else ""),
            Text(", ".join(one.events) or "all"),
            Text(one.url),
        )
    console.print(table)


@webhook.command()
def show(name: Name, json: Json = False, database_url: DatabaseUrl = None) -> None:
    """Show a webhook, with its secret."""
    from outbox.log import webhooks  # noqa: PLC0415
    from outbox.webhooks import standing  # noqa: PLC0415

    with opened(database_url) as connection:
        found = standing.named(connection, name)
        secret = webhooks.named(connection, name).secret
    document = asdict(found) | {"secret": secret}
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

    position = _position(from_)

    def change(connection: "Connection", name: str) -> None:
        webhooks.replay(connection, name, position)

    _changed(change, "replayed", name, json=json, url=database_url)


@webhook.command("test")
def try_out(name: Name, json: Json = False, database_url: DatabaseUrl = None) -> None:
    """Send a test event now, and say what came back; nothing else is changed."""
    from outbox.webhooks import trial  # noqa: PLC0415

    settings = read_settings(DATABASE_URL=named(database_url))
    with opened(database_url) as connection:
        ready = trial.prepare(connection, name)
    tried = ready.send(inside=settings.webhooks_inside)
    if tried.error is not None:
        raise Failure(ExitCode.REFUSED, f"The webhook {name} failed: {tried.error}")
    if json:
        write_json(tried._asdict())
    else:
        out().print(f"{name} answered {tried.status}.")


def _changed(
    change: "Callable[[Connection, str], None]",
    done: str,
    name: str,
    *,
    json: bool,
    url: str | None,
) -> None:
    with opened(url) as connection:
        change(connection, name)
    if json:
        write_json({done: name})
    else:
        out().print(f"{done.capitalize()} {name}.")


def _position(text: str) -> int:
    if text.isdecimal():
        return int(text)
    if text == "beginning":
        return 1
    raise typer.BadParameter(f"--from cannot be {text!r}: write a position, as 4711, or beginning")
