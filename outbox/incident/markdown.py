"""The report as Markdown: the same sentences and lists, for a ticket or a chat."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outbox.incident import answers, course, tables, telling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from outbox.log.findings import Incident

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def markdown(incident: Incident, events: str) -> str:
    """Return the report of an incident as Markdown.

    Args:
        incident: What happened.
        events: The name of the file beside it that holds the events.
    """
    return "\n".join(_lines(incident, events)) + "\n"


def _lines(incident: Incident, events: str) -> Iterator[str]:
    yield f"# {_plain(telling.title(incident))}"
    yield ""
    yield (
        f"Times are in {incident.since.astimezone():%Z}. Made "
        f"{incident.now.astimezone():%Y-%m-%d %H:%M:%S} from {incident.events:,} events, which are "
        f"in `{events}`."
    )
    for question, sentences in answers.answers(incident):
        yield from ("", f"## {question}", "")
        yield from (f"- {_plain(sentence)}" for sentence in sentences)
    for table in (
        *tables.tables(incident),
        course.steps(incident),
        course.bands(incident),
    ):
        yield from ("", f"## {table.title}", "")
        if not table.rows:
            yield table.empty
            continue
        yield from (table.about, "", _row(table.headings))
        yield _row("---:" if one in table.numbers else "---" for one in table.headings)
        yield from (_row(map(_plain, row)) for row in table.rows)
        if table.left_out:
            yield from ("", f"And {table.left_out:,} more; see `{events}`.")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
