"""`outbox list`: notifications, the newest first."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from outbox.cli.choosing import AccountFilter, Since, States, Until, chosen, states_of
from outbox.cli.opening import DatabaseUrl, opened
from outbox.cli.terminal import Json, note, out, write_json
from outbox.words import wording

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.text import Text

    from outbox.log.notifications import Listed


def list_(
    state: States = None,
    account: AccountFilter = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="RECIPIENT", help="Only to this number or JID.", show_default=False),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="Only this kind of content.", show_default=False),
    ] = None,
    since: Since = None,
    until: Until = None,
    after: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Behind this one: the last of the page before.", show_default=False
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="NUMBER", min=1, max=10_000, help="How many at most.")
    ] = 50,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """List notifications, the newest first."""
    from outbox.log import notifications  # noqa: PLC0415
    from outbox.recipient import form  # noqa: PLC0415

    jid = None
    if to is not None:
        jid = form(to)
        if jid is None:
            raise typer.BadParameter(
                f"--to {to!r} is neither a number like +447700900123 nor a JID"
            )
    states = states_of(state)
    with opened(database_url) as connection:
        which = chosen(
            connection, account=account, states=states, jid=jid, kind=kind, since=since, until=until
        )
        behind = notifications.find(connection, after) if after else None
        found = notifications.listing(connection, which, limit + 1, behind)
        now = notifications.clock(connection)
    more = len(found) > limit
    found = found[:limit]
    if json:
        write_json(
            {
                "notifications": [asdict(one) for one in found],
                "next": found[-1].id if more else None,
            }
        )
        return
    if not found:
        out().print("No notification is so.")
        return
    for line in _lines(found, now):
        out().print(line, soft_wrap=True)
    if more:
        note(f"There are more: outbox list … --after {found[-1].id}", "dim")


def _lines(found: "Sequence[Listed]", now: "datetime") -> "list[Text]":
    """Return a line for each, and a second one below where there is something to say."""
    from rich.text import Text  # noqa: PLC0415

    many = len({one.account for one in found}) > 1
    header = ["ID", "STATE", "RECIPIENT", "KIND", "ENQUEUED", *(["ACCOUNT"] if many else [])]
    rows = [
        [
            str(one.id),
            one.state,
            wording.recipient(one.jid),
            _kind(one),
            wording.clock(one.enqueued_at, now),
            *([one.account] if many else []),
        ]
        for one in found
    ]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: list[str], style: str, state_style: str) -> Text:
        text = Text(style=style)
        for nth, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            text.append(cell.ljust(width) + "  ", style=state_style if nth == 1 else "")
        text.rstrip()
        return text

    lines = [line(header, "bold", "")]
    for one, row in zip(found, rows, strict=True):
        lines.append(line(row, "", wording.STATE_STYLES.get(one.state, "")))
        said = _detail(one, now)
        if said:
            lines.append(Text(f"  {said}", style="dim"))
    return lines


def _kind(one: "Listed") -> str:
    if one.kind is None:
        return "(erased)"
    return one.kind if one.items is None else f"{one.kind} of {one.items}"


def _detail(one: "Listed", now: "datetime") -> str:
    parts = []
    if one.failures:
        parts.append(f"{one.failures} of {one.max_attempts} attempts failed")
    if one.last_error and one.state not in {"sent", "delivered", "read", "played"}:
        parts.append(one.last_error)
    if one.state == "pending" and one.deferred and one.due_at > now:
        parts.append(f"due {wording.when(one.due_at, now)}")
    if one.state == "unknown" and one.on_unknown == "hold":
        parts.append("held for an operator")
    return "; ".join(parts)
