"""Files of notifications, JSONL or CSV: their lines read, accepted in chunks, refusals located.

A line of JSONL is an object with the parameters of the SQL function `outbox.enqueue`: recipient,
content and options. CSV has them as columns, where an empty cell is not given. Both take `text`
instead of `content` for a plain message.
"""

from __future__ import annotations

import csv
import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from outbox.cli.exits import ExitCode, Failure, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO
    from uuid import UUID

    from outbox.log.database import Connection

CHUNK = 1000
"""Notifications that one statement accepts."""

_NUMBERS = ("priority", "max_attempts")
_JSON = ("content", "metadata")
_COLUMNS = (
    "recipient",
    "text",
    *_JSON,
    *_NUMBERS,
    "idempotency_key",
    "send_at",
    "expires_in",
    "on_unknown",
    "retry_after",
    "retry_limit",
)
_NTH = re.compile(r"number (\d+) of the batch: ")


class Line(NamedTuple):
    """A line of the file."""

    number: int
    """Counts from 1, a CSV's heading included."""
    given: dict[str, Any] | None
    """What is to be enqueued; None if the line cannot be read."""
    problem: str = ""


class Refusal(NamedTuple):
    """A line that was not accepted."""

    line: int
    sentence: str


class Accepted(NamedTuple):
    """A line that was accepted."""

    line: int
    id: UUID


def lines(file: TextIO) -> Iterator[Line]:
    """Return the lines of a file; it is CSV unless it begins with an opening brace.

    Raises:
        Failure: Its heading has a column that no notification has.
    """
    first = file.readline()
    while first and not first.strip():
        first = file.readline()
    if first.lstrip("\ufeff \t").startswith("{"):
        yield from _jsonl(first.lstrip("\ufeff"), file)
    elif first:
        yield from _csv(first.lstrip("\ufeff"), file)


def accept_all(
    connection: Connection,
    account: str,
    found: Iterator[Line],
    progress: Callable[[int], None],
) -> list[Accepted]:
    """Accept every line in one transaction; called again for the same lines it gives new ids.

    Raises:
        Failure: A line is refused, and with it all of them.
    """
    accepted: list[Accepted] = []
    with connection.transaction():
        for chunk in _chunks(found):
            for refused in _refusals(chunk):
                raise Failure(ExitCode.REFUSED, _nothing(refused))
            taken, refusals = _take(connection, account, chunk)
            for refused in refusals:
                raise Failure(ExitCode.REFUSED, _nothing(refused))
            accepted += taken
            progress(len(chunk))
    return accepted


def accept_good(
    connection: Connection,
    account: str,
    found: Iterator[Line],
    progress: Callable[[int], None],
) -> tuple[list[Accepted], list[Refusal]]:
    """Accept every line that can be, chunk by chunk, and return those that were and were not."""
    accepted: list[Accepted] = []
    refusals: list[Refusal] = []
    for chunk in _chunks(found):
        refusals += _refusals(chunk)
        rest = [line for line in chunk if line.given is not None]
        while rest:
            taken, refused = _take(connection, account, rest)
            if not refused:
                accepted += taken
                break
            # What stands before the refused line breaks no rule; what stands after it may.
            at = next(n for n, line in enumerate(rest) if line.number == refused[0].line)
            good, refused_again = _take(connection, account, rest[:at])
            accepted += good
            refusals += refused + refused_again
            rest = rest[at + 1 :]
        progress(len(chunk))
    return accepted, sorted(refusals)


def _jsonl(first: str, file: TextIO) -> Iterator[Line]:
    number = 0
    text = first
    while text:
        number += 1
        if text.strip():
            try:
                given = json.loads(text)
            except ValueError as error:
                yield Line(number, None, f"Not JSON: {error}.")
            else:
                if isinstance(given, dict):
                    yield _line(number, given)
                else:
                    yield Line(number, None, f"Not a JSON object: {text.strip()[:80]}.")
        text = file.readline()


def _csv(first: str, file: TextIO) -> Iterator[Line]:
    def rows() -> Iterator[str]:
        yield first
        yield from file

    reader = csv.DictReader(rows(), restkey="more cells than columns")
    unknown = sorted(set(reader.fieldnames or ()) - set(_COLUMNS))
    if unknown or "recipient" not in (reader.fieldnames or ()):
        raise Failure(
            ExitCode.USAGE,
            f"The first line names {', '.join(unknown) or 'no recipient'}: it has to name columns "
            f"out of {', '.join(_COLUMNS)}; or begin each line with {{ for JSON",
        )
    for row in reader:
        given: dict[str, Any] = {name: cell for name, cell in row.items() if cell}
        problem = ""
        for name in _JSON:
            if name in given:
                try:
                    given[name] = json.loads(given[name])
                except ValueError as error:
                    problem = f"Its {name} is not JSON: {error}."
        yield Line(reader.line_num, None, problem) if problem else _line(reader.line_num, given)


def _line(number: int, given: dict[str, Any]) -> Line:
    """Return a line whose recipient fits a numbering plan, its text written as a content."""
    from outbox.errors import Refused, refusal  # noqa: PLC0415 - heavy, not needed for --help
    from outbox.recipient import jid  # noqa: PLC0415

    if "text" in given:
        if "content" in given:
            return Line(number, None, "It has a text and a content: give one of them.")
        given["content"] = {"kind": "text", "text": given.pop("text")}
    if "content" not in given:
        return Line(number, None, "It has neither a text nor a content: give one of them.")
    try:
        for name in _NUMBERS:
            if name in given and not re.fullmatch(r"-?\d{1,9}", str(given[name])):
                raise refusal(f"bad_{name}", str(given[name]))
        jid(given.get("recipient", ""))
    except Refused as error:
        return Line(number, None, str(error))
    return Line(number, given)


def _chunks(found: Iterator[Line]) -> Iterator[list[Line]]:
    while chunk := list(islice(found, CHUNK)):
        yield chunk


def _refusals(chunk: Sequence[Line]) -> list[Refusal]:
    return [Refusal(line.number, line.problem) for line in chunk if line.given is None]


def _take(
    connection: Connection, account: str, chunk: Sequence[Line]
) -> tuple[list[Accepted], list[Refusal]]:
    """Accept a chunk, all or none; return what was accepted, or the first line that is refused."""
    from psycopg import DataError  # noqa: PLC0415

    from outbox.errors import InvalidOption, Refused  # noqa: PLC0415
    from outbox.log.intake import accept  # noqa: PLC0415

    if not chunk:
        return [], []
    try:
        with connection.transaction():
            ids = accept(connection, [line.given or {} for line in chunk], account)
    except Refused as error:
        if isinstance(error, InvalidOption) and error.rule == "bad_account":
            raise  # it is no line's fault
        nth = _NTH.search(str(error))
        line = chunk[int(nth[1]) - 1] if nth else chunk[0]
        return [], [Refusal(line.number, _NTH.sub("", str(error)))]
    except DataError as error:
        # An option that is no number or no time: the database does not say whose.
        if len(chunk) == 1:
            return [], [Refusal(chunk[0].number, f"{one_line(error).capitalize()}.")]
        return [], [_culprit(connection, account, chunk)]
    return [Accepted(line.number, id_) for line, id_ in zip(chunk, ids, strict=True)], []


def _culprit(connection: Connection, account: str, chunk: Sequence[Line]) -> Refusal:
    """Return the first line of a chunk that cannot be read, by trying halves and keeping none."""
    from psycopg import Rollback  # noqa: PLC0415

    while True:
        half = chunk[: (len(chunk) + 1) // 2]
        with connection.transaction() as attempt:
            _, refused = _take(connection, account, half)
            raise Rollback(attempt)
        if refused:
            return refused[0]
        chunk = chunk[len(half) :]


def _nothing(refused: Refusal) -> str:
    return f"Line {refused.line}: {refused.sentence} Nothing was accepted."
