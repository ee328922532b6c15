"""`outbox requeue`: give what ended without success a new start."""

from typing import TYPE_CHECKING, Annotated

import typer

from outbox.cli.choosing import AccountFilter, duration, states_of
from outbox.cli.opening import DatabaseUrl, opened
from outbox.cli.person import person
from outbox.cli.progress import counter
from outbox.cli.terminal import Json, out, write_json
from outbox.words import wording

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from outbox.log.database import Connection
    from outbox.log.requeue import Choice


def requeue(
    notification: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID", help="Their ids, or the beginnings of them.", show_default=False
        ),
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATE",
            show_default=False,
            help="All in this state, instead of ids, may be repeated; `dead` is all that ended "
            "without success.",
        ),
    ] = None,
    account: AccountFilter = None,
    error_like: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            show_default=False,
            help="Only with this text in the last error; % stands for anything.",
        ),
    ] = None,
    expires_in: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            show_default=False,
            help="They expire so long from now, like 2h; after the account's time unless given.",
        ),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Why, for whoever reads the log.", show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", metavar="", help="Do not ask.")] = False,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Give notifications that ended without success a new start: no failures, due now."""
    if bool(notification) is bool(state):
        raise typer.BadParameter("Give ids, or --state for all that are in a state")
    if notification and (account is not None or error_like is not None):
        raise typer.BadParameter("--account and --error-like go with --state")
    from outbox.log import notifications  # noqa: PLC0415

    states = _requeuable(state)
    with opened(database_url) as connection:
        length = duration(connection, "--expires-in", expires_in)
        if notification:
            found = [notifications.find(connection, one) for one in notification]
            notifications.requeue(connection, found, length, reason, person())
            total = len(found)
        else:
            from outbox.log.requeue import Choice  # noqa: PLC0415

            pattern = error_like if error_like is None or "%" in error_like else f"%{error_like}%"
            choice = Choice(states, account, pattern)
            total = _requeue_all(connection, choice, length, reason, yes=yes)
    if json:
        write_json({"requeued": total})
    else:
        out().print(f"Requeued {wording.number(total, 'notification')}.")


def _requeuable(given: "Sequence[str] | None") -> tuple[str, ...]:
    from outbox.log.notifications import DEAD  # noqa: PLC0415

    states = states_of(given)
    if states != ("unknown",) and not set(states) <= set(DEAD):
        raise typer.BadParameter(
            f"--state is out of {', '.join(DEAD)}, or unknown alone: only what ended without "
            f"success or has no known outcome can be requeued"
        )
    return states


def _requeue_all(
    connection: "Connection",
    choice: "Choice",
    expires_in: "timedelta | None",
    reason: str | None,
    *,
    yes: bool,
) -> int:
    from outbox.log import requeue as many  # noqa: PLC0415

    total = many.count(connection, choice)
    if not total:
        return 0
    if not yes:
        risk = " They may have been sent already." if choice.states == ("unknown",) else ""
        typer.confirm(
            f"Requeue {wording.number(total, 'notification')}?{risk}", abort=True, err=True
        )
    with counter("requeued", total) as progress:
        return many.requeue(
            connection,
            choice,
            expires_in=expires_in,
            reason=reason,
            metadata=person(),
            progress=progress,
        )
