"""`outbox replay --incident`: the report of a period, as files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outbox.cli.choosing import moment
from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import opened
from outbox.cli.progress import counter
from outbox.cli.terminal import out, write_json

if TYPE_CHECKING:
    from datetime import datetime

    from outbox.incident.writing import Written
    from outbox.log.database import Connection


def report(
    url: str | None,
    since: str,
    until: str,
    *,
    to: str | None = None,
    account: str | None = None,
    json: bool = False,
) -> None:
    """Write the report of a period as HTML and Markdown, and its events as JSON lines.

    Args:
        url: The database.
        since: Where the period begins, as people write moments.
        until: Where it ends.
        to: A folder that is there; otherwise the current one.
        account: Only its; otherwise all accounts'.
        json: Write the paths and the figures as JSON.
    """
    from outbox.incident.writing import write  # noqa: PLC0415
    from outbox.log.incident import NothingError  # noqa: PLC0415

    folder = _folder(to)
    with opened(url) as connection:
        begin, end = _period(connection, since, until)
        try:
            with counter("events") as counted:
                written = write(connection, folder, begin, end, account, counted=counted)
        except NothingError:
            raise Failure(
                ExitCode.NOT_FOUND,
                f"The log has nothing{f' of account {account}' if account else ''} from "
                f"{begin.isoformat()} to {end.isoformat()}: no event, no outage, and nothing "
                f"waited",
            ) from None
        except OSError as error:
            raise Failure(
                ExitCode.USAGE, f"The report cannot be written to {folder}: {error.strerror}"
            ) from None
    if json:
        write_json(document(written))
    else:
        _say(written)


def document(written: Written) -> dict[str, Any]:
    """Return where a report lies, and its figures; no recipient is named."""
    incident = written.incident
    return {
        "html": str(written.html),
        "markdown": str(written.markdown),
        "jsonl": str(written.events),
        "since": incident.since,
        "until": incident.until,
        "account": incident.account,
        "events": incident.events,
        "outages": [
            {
                "account": one.account,
                "began_at": one.began_at,
                "ended_at": one.ended_at,
                "seconds": one.duration,
                "cause": one.cause,
                "reason": one.reason,
                "held_up": one.held_up,
                "median_late_seconds": one.median_late,
                "longest_late_seconds": one.longest_late,
            }
            for one in incident.outages
        ],
        "held_up": [
            {
                "account": one.account,
                "notifications": one.notifications,
                "recipients": one.recipients,
                "median_late_seconds": one.median_late,
                "longest_late_seconds": one.longest_late,
                "waiting": one.waiting,
            }
            for one in incident.held
        ],
        "recipients_affected": incident.recipients.total,
        "dead_letters": [
            {"account": one.account, "state": one.state, "notifications": one.notifications}
            for one in incident.dead
        ],
        "maybe_doubled": incident.doubled.total,
        "still_in_doubt": incident.doubts.total,
        "changes_of_worker": incident.restarts.total,
        "open_before": incident.steps[0].open_before,
        "open_after": incident.steps[-1].open,
        "open_at_most": incident.open_at_most,
    }


def _folder(to: str | None) -> Path:
    folder = Path(to or ".")
    if not folder.is_dir():
        raise Failure(
            ExitCode.USAGE, f"{folder} is no folder: make it first, or name another one by --to"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Failure(ExitCode.USAGE, f"{folder} cannot be written to: name another folder by --to")
    return folder


def _period(connection: Connection, since: str, until: str) -> tuple[datetime, datetime]:
    begin = moment(connection, "FROM", since, -1)
    end = moment(connection, "TO", until, -1)
    if begin is None or end is None:
        raise RuntimeError("a moment that was given is none")
    if end <= begin:
        raise Failure(
            ExitCode.USAGE,
            f"The period ends before it begins: FROM is {begin.isoformat()}, TO is "
            f"{end.isoformat()}",
        )
    return begin, end


def _say(written: Written) -> None:
    """Print the answers, and where the rest is."""
    from outbox.incident import answers  # noqa: PLC0415

    for question, sentences in answers.answers(written.incident):
        out().print(f"[bold]{question}[/bold]", soft_wrap=True)
        for sentence in sentences:
            out().print(f"  {sentence}", soft_wrap=True, markup=False)
    out().print()
    for path in (written.html, written.markdown, written.events):
        out().print(str(path), soft_wrap=True, markup=False)
