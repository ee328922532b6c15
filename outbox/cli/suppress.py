"""`outbox suppress`, `unsuppress` and `suppressed`: who is not to be written to."""

from dataclasses import asdict
from typing import Annotated

import typer

from outbox.cli.choosing import AccountFilter
from outbox.cli.forget import RecipientArgument
from outbox.cli.opening import DatabaseUrl, opened
from outbox.cli.person import person
from outbox.cli.terminal import Json, note, out, write_json
from outbox.words import wording

_Account = Annotated[
    str | None,
    typer.Option(
        "--account",
        metavar="NAME",
        help="Only by this account; by all unless given.",
        show_default=False,
    ),
]


def suppress(
    recipient: RecipientArgument,
    reason: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            show_default=False,
            help="What a refused enqueue is told; the log keeps it: nothing personal.",
        ),
    ] = None,
    account: _Account = None,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Let nothing be sent to somebody any more, and cancel what is pending."""
    from outbox.log import suppression  # noqa: PLC0415

    with opened(database_url) as connection:
        cancelled = suppression.suppress(connection, recipient, account, reason, person())
    if json:
        write_json({"cancelled": cancelled})
    else:
        named = wording.number(cancelled, "notification")
        out().print(f"Suppressed; cancelled {named}.")


def unsuppress(
    recipient: RecipientArgument,
    reason: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            show_default=False,
            help="Why, for whoever reads the log, which keeps it: nothing personal.",
        ),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Only this account's; all unless given.", show_default=False
        ),
    ] = None,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Allow that somebody is written to again."""
    from outbox.log import suppression  # noqa: PLC0415

    with opened(database_url) as connection:
        lifted = suppression.unsuppress(connection, recipient, account, reason, person())
        left = suppression.listing(connection, 1, account=account, recipient=recipient)
    if json:
        write_json({"lifted": lifted})
        return
    out().print("May be written to again." if lifted and not left else "Nothing has changed.")
    if left:
        note("Still suppressed for all accounts: leave out --account.", "yellow")


def suppressed(
    account: AccountFilter = None,
    limit: Annotated[
        int, typer.Option(metavar="NUMBER", min=1, max=100_000, help="How many at most.")
    ] = 1000,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """List who is not to be written to, the latest first."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from outbox.log import suppression  # noqa: PLC0415

    with opened(database_url) as connection:
        found = suppression.listing(connection, limit, account=account)
    if json:
        write_json([asdict(one) for one in found])
        return
    if not found:
        out().print("Nobody is suppressed.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    for heading in ("RECIPIENT", "ACCOUNT", "SINCE", "REASON"):
        table.add_column(heading)
    for one in found:
        table.add_row(
            Text(wording.recipient(one.jid)),
            Text("all" if one.account == "*" else one.account),
            Text(wording.clock(one.suppressed_at)),
            Text(one.reason or ""),
        )
    out().print(table)
