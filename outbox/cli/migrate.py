"""`outbox migrate`: bring the database's schema to this release's."""

from typing import Annotated

import typer

from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import DatabaseUrl, connected, named, note_newer
from outbox.cli.terminal import Json, note, out, write_json


def migrate(
    revision: Annotated[
        str, typer.Option(metavar="REVISION", help="Migrate up to this revision only.")
    ] = "head",
    downgrade: Annotated[
        str | None,
        typer.Option(
            metavar="REVISION",
            help="Migrate down to this revision instead; `base` deletes the outbox with all "
            "that it holds.",
            show_default=False,
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", metavar="", help="Downgrade without asking.")
    ] = False,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Bring the database's schema to this release's.

    Does nothing if it is there already, and lets one migrator run at a time, so every release may
    run it.
    """
    from outbox.log import migrate as migrations  # noqa: PLC0415
    from outbox.log import schema  # noqa: PLC0415

    url = named(database_url)
    with connected(url) as connection:
        before = schema.revision(connection)
    is_ahead = before is not None and before not in schema.known()
    if is_ahead and downgrade is None:
        note_newer(str(before), schema.known()[-1])
    elif is_ahead:
        raise Failure(
            ExitCode.NO_DATABASE,
            f"Revision {before} is not known here; only the release that migrated to it can "
            "migrate back",
        )
    elif downgrade is None:
        _check(revision, {*schema.known(), "head"})
        migrations.upgrade(url, revision)
    else:
        _check(downgrade, {*schema.known(), "base"})
        if not yes:
            _confirm(downgrade)
        migrations.downgrade(url, downgrade)
    with connected(url) as connection:
        after = schema.revision(connection)
    if json:
        write_json({"before": before, "after": after})
    elif before == after:
        out().print(f"The database is at revision {after} already.")
    else:
        out().print(f"Migrated from {before or 'nothing'} to {after or 'nothing'}.")


def _check(revision: str, known: set[str]) -> None:
    if revision not in known:
        raise typer.BadParameter(
            f"There is no revision {revision}: the revisions are {', '.join(sorted(known))}"
        )


def _confirm(revision: str) -> None:
    note(
        "This deletes the outbox: its log, its queue, everything that was ever accepted."
        if revision == "base"
        else f"This takes the schema back to {revision}, and deletes what later revisions added.",
        "yellow",
    )
    typer.confirm("Downgrade?", abort=True, err=True)
