"""What commands write: tables and sentences for people on a terminal, JSON for programs.

With `--json` stdout carries one JSON document, or one a line for a stream; whatever is said to
people goes to stderr.
"""

from __future__ import annotations

import json
import sys
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Write JSON for programs.")]
"""The option that every command has."""


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


def _made(stream: Any, width: int | None) -> Console:  # noqa: ANN401
    from rich.console import Console  # noqa: PLC0415

    return Console(file=stream, width=width, highlight=False, emoji=False)


def _console(*, to_stderr: bool) -> Console:
    stream = sys.stderr if to_stderr else sys.stdout
    return _made(stream, None if stream.isatty() else 200)
