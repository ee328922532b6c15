"""`outbox doctor`: everything that an operator would look at when something is wrong."""

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from outbox.cli.exits import ExitCode
from outbox.cli.opening import DatabaseUrl
from outbox.cli.terminal import Json, out, write_json
from outbox.words import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outbox.cli.checks.finding import Line


def doctor(
    size_limit: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            show_default=False,
            help="How large the database may become, as 1GB; from 80 % on it is a warning.",
        ),
    ] = None,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Check the database, the schema, the accounts and this machine, and say what to do."""
    from outbox.cli.checks.finding import Verdict  # noqa: PLC0415
    from outbox.cli.checks.rounds import rounds  # noqa: PLC0415

    limit = _bytes(size_limit) if size_limit is not None else None
    lines = list(rounds(database_url, limit))
    if json:
        write_json([asdict(line) for line in lines])
    else:
        _print(lines)
    if any(line.verdict is Verdict.BROKEN for line in lines):
        raise typer.Exit(ExitCode.BROKEN)


def _print(lines: "Sequence[Line]") -> None:
    from rich.text import Text  # noqa: PLC0415

    styles = {"ok": "green", "warning": "yellow", "broken": "bold red"}
    width = max(len(line.name) for line in lines)
    console = out()
    for line in lines:
        advice = f" → {line.advice}" if line.advice else ""
        console.print(
            Text.assemble(
                (f"{line.verdict:<7}", styles[line.verdict]),
                (f"  {line.name:<{width}}  ", "bold"),
                f"{line.seen}{advice}",
            ),
            soft_wrap=True,
        )
    counts = Counter(str(line.verdict) for line in lines)
    words = {
        "ok": f"{counts['ok']} ok",
        "warning": wording.number(counts["warning"], "warning"),
        "broken": f"{counts['broken']} broken",
    }
    summary = ", ".join(said for verdict, said in words.items() if counts[verdict])
    console.print(Text(summary, style="dim"))


def _bytes(size: str) -> int:
    """Return how many bytes a size is: 1GB are 10^9 of them, 1GiB are 2^30.

    Raises:
        typer.BadParameter: It is no size.
    """
    from pydantic import ByteSize, TypeAdapter, ValidationError  # noqa: PLC0415

    try:
        found = TypeAdapter(ByteSize).validate_python(size)
    except ValidationError:
        found = ByteSize(0)
    if found <= 0:
        raise typer.BadParameter(f"--size-limit cannot be {size!r}: write a size as 1GB or 500MB")
    return found
