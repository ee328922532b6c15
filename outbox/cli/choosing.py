"""Options that choose notifications, the same for every command that has them."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from outbox.log.database import Connection
    from outbox.log.notifications import Filter

States = Annotated[
    list[str] | None,
    typer.Option(
        "--state",
        metavar="STATE",
        show_default=False,
        help="Only in this state, may be repeated; `open` is all that is not ended, `dead` all "
        "that ended without success.",
    ),
]
AccountFilter = Annotated[
    str | None,
    typer.Option("--account", metavar="NAME", help="Only this account's.", show_default=False),
]
Since = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        show_default=False,
        help="Enqueued then or later: 2026-01-31T12:00, or 2h for two hours ago.",
    ),
]
Until = Annotated[
    str | None, typer.Option(metavar="TIME", help="Enqueued earlier.", show_default=False)
]


def states_of(given: "Sequence[str] | None") -> tuple[str, ...]:
    """Return the states that were asked for by name or by group; none if all.

    Raises:
        typer.BadParameter: There is no such state.
    """
    from outbox.log.notifications import DEAD, OPEN, STATES  # noqa: PLC0415

    groups = {"open": OPEN, "dead": DEAD}
    states: list[str] = []
    for name in given or ():
        if name not in groups and name not in STATES:
            raise typer.BadParameter(
                f"There is no state {name!r}: the states are {', '.join(STATES)}, and open and "
                f"dead stand for several"
            )
        states += groups.get(name, (name,))
    return tuple(states)


def chosen(
    connection: "Connection",
    *,
    account: str | None = None,
    states: "Sequence[str]" = (),
    jid: str | None = None,
    kind: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> "Filter":
    """Return the filter that these options stand for."""
    from outbox.log.notifications import Filter  # noqa: PLC0415

    return Filter(
        account=account,
        states=states,
        jid=jid,
        kind=kind,
        since=moment(connection, "--since", since, -1),
        until=moment(connection, "--until", until, -1),
    )


def moment(connection: "Connection", option: str, text: str | None, sign: int) -> "datetime | None":
    """Return the moment that an option names.

    Raises:
        typer.BadParameter: It names none.
    """
    from outbox.log import intake  # noqa: PLC0415

    if text is None:
        return None
    try:
        return intake.moment(connection, text, sign)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from None


def duration(connection: "Connection", option: str, text: str | None) -> "timedelta | None":
    """Return the duration that an option gives.

    Raises:
        typer.BadParameter: It gives none.
    """
    from outbox.log import intake  # noqa: PLC0415

    if text is None:
        return None
    try:
        return intake.duration(connection, text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from None
