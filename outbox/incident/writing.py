"""The report as files: for people as HTML and Markdown, the events for programs as JSON lines."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from outbox.incident.html import html
from outbox.incident.markdown import markdown
from outbox.log import incident as log

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from outbox.log.database import Connection
    from outbox.log.findings import Incident

_ENDINGS: Final = ("html", "md", "jsonl")


class Written(NamedTuple):
    """A report that was written."""

    incident: Incident
    html: Path
    markdown: Path
    events: Path


def write(
    connection: Connection,
    folder: Path,
    since: datetime,
    until: datetime,
    account: str | None = None,
    *,
    counted: Callable[[int], None] = lambda _: None,
) -> Written:
    """Write the report of a period; one of the same period and account is replaced.

    Args:
        connection: Where the log is; in no transaction.
        folder: Where to; it is there.
        since: Where the period begins.
        until: Where it ends, not included.
        account: Only its; otherwise all accounts'.
        counted: Called for each event that was written, with 1.

    Raises:
        NothingError: There is nothing to report.
        PartlyArchivedError: A month of the period lies in an archive alone.
        OSError: The folder cannot be written to.
    """
    with log.snapshot(connection):
        incident = log.gather(connection, since, until, account)
        stem = folder / name(incident)
        written = Written(incident, *(stem.with_name(f"{stem.name}.{end}") for end in _ENDINGS))
        with written.events.open("w", encoding="utf-8", newline="\n") as file:
            for line in log.lines(connection, incident):
                file.write(f"{line}\n")
                counted(1)
    written.html.write_text(html(incident, written.events.name), encoding="utf-8")
    written.markdown.write_text(markdown(incident, written.events.name), encoding="utf-8")
    return written


def name(incident: Incident) -> str:
    """Return the name of a report's files without their endings: its beginning in UTC."""
    of = f"-{quote(incident.account, safe='')}" if incident.account else ""
    return f"incident-{incident.since.astimezone(UTC):%Y-%m-%dT%H%MZ}{of}"
