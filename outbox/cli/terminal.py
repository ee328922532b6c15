"""What commands write: tables and sentences for people on a terminal, JSON for programs.

With `--json` stdout carries one JSON document, or one a line for a stream; whatever is said to
people goes to stderr.
"""

from __future__ import annotations

import errno
import json
import sys
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", metavar="", help="Write JSON for programs.")]
"""The option that every command has."""


_WIDTH = 200
"""Characters of a line of a table where there is no terminal."""


def out() -> Console:
    """Return the console of stdout; where no terminal is, lines are as long as they need to be."""
    return _console(to_stderr=False)


def err() -> Console:
    """Return the console of stderr."""
    return _console(to_stderr=True)


def complain(sentence: str) -> None:
    """Say on stderr, on one line, why the command ends."""
    from rich.text import Text  # noqa: PLC0415

    err().print(Text.assemble(("error: ", "bold red"), sentence), soft_wrap=True)


def note(sentence: str, style: str = "") -> None:
    """Say something on stderr that is no result."""
    from rich.text import Text  # noqa: PLC0415

    err().print(Text(sentence, style=style), soft_wrap=True)


def write_json(value: Any) -> None:  # noqa: ANN401 - whatever json can write
    """Write a JSON document to stdout, indented for whoever looks at it."""
    sys.stdout.write(json.dumps(value, default=plain, ensure_ascii=False, indent=2) + "\n")


def write_json_line(value: Any) -> None:  # noqa: ANN401
    """Write a JSON document of a stream to stdout, on a line of its own, at once."""
    sys.stdout.write(json.dumps(value, default=plain, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def plain(value: object) -> object:
    """Return what JSON has no type for as what it is written as."""
    match value:
        case UUID():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _console(*, to_stderr: bool) -> Console:
    from rich.console import Console  # noqa: PLC0415

    class Ours(Console):
        """Ends as every command does when nobody reads any more."""

        def on_broken_pipe(self) -> None:
            """Let the application end the command."""
            raise BrokenPipeError(errno.EPIPE, "nobody reads what is written")

    stream = sys.stderr if to_stderr else sys.stdout
    width = None if stream.isatty() else _WIDTH
    return Ours(file=stream, width=width, highlight=False, emoji=False)
