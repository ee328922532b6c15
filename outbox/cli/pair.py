"""`outbox pair` and `outbox unpair`: link an account with a phone, or end that."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from outbox.cli.environment import linking, read_settings
from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import DatabaseUrl, named, opened
from outbox.cli.terminal import Json, note, out, write_json, write_json_line
from outbox.words import wording

if TYPE_CHECKING:
    from outbox.session.linking import Shown

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Its name, main if you have one.")]


def pair(
    account: Account = "main",
    phone: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            show_default=False,
            help="Show a code to type into the phone of this number, instead of QR codes.",
        ),
    ] = None,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Link an account with the WhatsApp on a phone, by a QR code or by a code that is typed.

    On the phone: Settings, Linked devices, Link a device.
    """
    from outbox.delivery import pairing  # noqa: PLC0415
    from outbox.delivery.about import describe_worker  # noqa: PLC0415

    number = None if phone is None else _digits(phone)
    settings = read_settings(DATABASE_URL=named(database_url))
    with opened(settings.database_url) as connection:
        who = pairing.Whoever(describe_worker())
        show = _tell if json else _show
        jid = pairing.pair(connection, linking(settings), account, who, show, number)
    if json:
        write_json_line({"account": account, "paired": jid})
    else:
        out().print(
            f"[green]{account} is paired[/green] as {wording.device(jid)}; a worker sends its "
            f"messages: outbox worker --account {account}",
            soft_wrap=True,
        )


def unpair(
    account: Account = "main",
    forget: Annotated[
        bool,
        typer.Option(
            "--forget",
            help="Do not tell WhatsApp; the phone then shows the device until you remove it there.",
        ),
    ] = False,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """End the link with the phone; what is queued stays queued."""
    from outbox.delivery import pairing  # noqa: PLC0415
    from outbox.delivery.about import describe_worker  # noqa: PLC0415

    settings = read_settings(DATABASE_URL=named(database_url))
    with opened(settings.database_url) as connection:
        who = pairing.Whoever(describe_worker())
        pairing.unpair(connection, linking(settings), account, who, tell=not forget)
    if json:
        write_json({"account": account, "unpaired": True})
    else:
        out().print(f"{account} is not paired any more; its queue is kept.")


def _digits(phone: str) -> str:
    from outbox.errors import Refused  # noqa: PLC0415
    from outbox.recipient import digits  # noqa: PLC0415

    try:
        return digits(phone)
    except Refused as error:
        raise Failure(ExitCode.USAGE, str(error)) from None


def _tell(shown: "Shown") -> None:
    write_json_line({shown.kind: shown.text})


def _show(shown: "Shown") -> None:
    if shown.kind == "code":
        out().print(
            f"On the phone: Settings, Linked devices, Link a device, Link with phone number "
            f"instead; then type [bold]{shown.text}[/bold]",
            soft_wrap=True,
        )
        return

    import segno  # noqa: PLC0415

    note("On the phone: Settings, Linked devices, Link a device; then scan. It changes by itself.")
    segno.make(shown.text, error="L").terminal(out=sys.stdout, compact=True)
    sys.stdout.flush()
