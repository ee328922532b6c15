"""`outbox archive`: months of the log that are over, out of the database and back."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outbox.cli.environment import read_settings
from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import DatabaseUrl, named, opened
from outbox.cli.progress import counter
from outbox.cli.terminal import Json, note, out, write_json
from outbox.words import wording

if TYPE_CHECKING:
    from outbox.log.months import Archive

archive = typer.Typer(
    no_args_is_help=True, help="Archives: months of the log that are over, kept as files."
)

Month = Annotated[str, typer.Argument(metavar="MONTH", help="Like 2026-03.")]


@archive.command()
def write(
    month: Annotated[
        list[str] | None, typer.Argument(metavar="[MONTH]…", help="Like 2026-03; all otherwise.")
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep-months",
            metavar="NUMBER",
            min=0,
            help="Without a MONTH: how many months that are over stay in the database. "
            "[OUTBOX_ARCHIVE_KEEP_MONTHS, or 0]",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder, or a bucket as s3://bucket/prefix. [OUTBOX_ARCHIVE_TO]",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write months to files, read them back, and take them out of the database.

    A month can go once every event of it is under a seal, every follower has read it and every
    notification from before its end has ended.
    """
    import psycopg  # noqa: PLC0415

    from outbox.archive import moving, policy  # noqa: PLC0415

    settings = read_settings(
        DATABASE_URL=named(database_url), archive_to=to, archive_keep_months=keep
    )
    folder = settings.archive_to
    if folder is None:
        raise Failure(
            ExitCode.USAGE, "Nobody said where archives go: give --to, or set OUTBOX_ARCHIVE_TO"
        )
    done: list[Archive] = []
    left: list[dict[str, str]] = []
    with opened(database_url) as connection:
        if month:
            names = [_partition(one) for one in month]
        else:
            due = policy.due(connection, settings.archive_keep_months or 0, None)
            left += [
                {"partition": one.partition, "reason": one.obstacle} for one in due if one.obstacle
            ]
            names = [one.partition for one in due if not one.obstacle]
        for name in names:
            try:
                with counter("events written and read back") as count:
                    done.append(
                        moving.archive(
                            connection, name, folder, step=_telling(name), progress=count
                        )
                    )
            except psycopg.errors.LockNotAvailable:
                left.append({"partition": name, "reason": "somebody reads the log: try again"})
    if json:
        write_json({"archived": [_document(one) for one in done], "left": left})
    else:
        for one in done:
            out().print(
                f"{one.partition}: {wording.number(one.events, 'event')} in {one.location} "
                f"({wording.size(one.size)}), and out of the database",
                soft_wrap=True,
            )
        for unmoved in left:
            out().print(
                f"{unmoved['partition']} stays in the database: {unmoved['reason']}",
                soft_wrap=True,
            )
        if not done and not left:
            out().print("No month is to be archived.")
    if left:
        raise typer.Exit(ExitCode.IN_PART if done else ExitCode.WRONG_STATE)


@archive.command("list")
def list_(json: Json = False, database_url: DatabaseUrl = None) -> None:
    """List the months that are over: those in archives, and what keeps the others back."""
    from outbox.log import months  # noqa: PLC0415

    with opened(database_url) as connection:
        there = months.archivable(connection)
        archives = months.archives(connection)
    if json:
        write_json(
            {
                "database": [asdict(one) for one in there],
                "archives": [_document(one) for one in archives],
            }
        )
        return
    for one in archives:
        where = "alone" if one.dropped_at else "and the database"
        out().print(
            f"{one.partition}  {one.location} {where}: {wording.number(one.events, 'event')}, "
            f"{wording.size(one.size)}, archived {one.archived_at:%Y-%m-%d %H:%M}",
            soft_wrap=True,
        )
    for month in there:
        out().print(
            f"{month.partition}  the database: {wording.size(month.size)}, "
            f"{month.obstacle or 'could be archived'}",
            soft_wrap=True,
        )
    if not archives and not there:
        out().print("No month of the log is over yet.")


@archive.command()
def restore(month: Month, json: Json = False, database_url: DatabaseUrl = None) -> None:
    """Put a month back into the database; its archive stays."""
    from outbox.archive import moving  # noqa: PLC0415
    from outbox.log import months  # noqa: PLC0415

    name = _partition(month)
    with opened(database_url) as connection:
        found = next((one for one in months.archives(connection) if one.partition == name), None)
        if found is None:
            raise Failure(ExitCode.NOT_FOUND, f"{name} is in no archive; see: outbox archive list")
        with counter("events", found.events) as count:
            moving.restore(connection, found, count)
    if json:
        write_json({"restored": name, "events": found.events})
    else:
        out().print(f"{name}: {wording.number(found.events, 'event')} back in the database")


def _partition(month: str) -> str:
    """Return the table of a month.

    Raises:
        typer.BadParameter: It is no month.
    """
    from datetime import datetime  # noqa: PLC0415

    try:
        return f"event_{datetime.strptime(month, '%Y-%m'):%Y_%m}"  # noqa: DTZ007 - of no zone
    except ValueError:
        raise typer.BadParameter(f"{month!r} is no month: write it as 2026-03") from None


def _telling(name: str) -> Any:  # noqa: ANN401 - a function
    return lambda step: note(f"{name}: {step}", "dim")


def _document(one: "Archive") -> dict[str, Any]:
    found = asdict(one) | {"sha256": one.sha256.hex()}
    del found["positions"]
    return found
