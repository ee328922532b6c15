"""`outbox enqueue`: accept one notification, or a file of them."""

import json as json_
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outbox.cli.choosing import duration, moment
from outbox.cli.exits import ExitCode, Failure, one_line
from outbox.cli.opening import DatabaseUrl, named, opened
from outbox.cli.progress import counter
from outbox.cli.terminal import Json, note, out, write_json
from outbox.words import wording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from uuid import UUID

    from outbox.log.database import Connection

_CONTENT, _OPTIONS, _MANY = "Content", "Delivery", "Many at once"


def enqueue(
    recipient: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPIENT",
            show_default=False,
            help="A number in international form (+447700900123), or a JID.",
        ),
    ] = None,
    text: Annotated[
        str | None, typer.Option(metavar="TEXT", help="A text.", rich_help_panel=_CONTENT)
    ] = None,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A picture.", rich_help_panel=_CONTENT)
    ] = None,
    document: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A file of any type.", rich_help_panel=_CONTENT),
    ] = None,
    caption: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="The text below a picture or file.", rich_help_panel=_CONTENT
        ),
    ] = None,
    content: Annotated[
        str | None,
        typer.Option(
            metavar="JSON",
            help='Any content, like \'{"kind": "text", "text": "hello"}\'.',
            rich_help_panel=_CONTENT,
        ),
    ] = None,
    account: Annotated[
        str, typer.Option(metavar="NAME", help="Who sends it.", rich_help_panel=_OPTIONS)
    ] = "main",
    key: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Idempotency key: the same one gives the same notification again.",
            rich_help_panel=_OPTIONS,
        ),
    ] = None,
    priority: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", help="Higher goes first; 0 unless given.", rich_help_panel=_OPTIONS
        ),
    ] = None,
    send_at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Not before: 2026-01-31T12:00, or 2h for in two hours.",
            rich_help_panel=_OPTIONS,
        ),
    ] = None,
    expires_in: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Not later, like 2h.", rich_help_panel=_OPTIONS),
    ] = None,
    max_attempts: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", help="How many attempts may fail.", rich_help_panel=_OPTIONS
        ),
    ] = None,
    on_unknown: Annotated[
        str | None,
        typer.Option(
            metavar="resend|hold",
            help="After an unknown outcome: at least once, or at most once.",
            rich_help_panel=_OPTIONS,
        ),
    ] = None,
    metadata: Annotated[
        str | None,
        typer.Option(
            metavar="JSON",
            help="An object kept in the log for ever: no personal data.",
            rich_help_panel=_OPTIONS,
        ),
    ] = None,
    wait: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="Wait so long until it is sent, like 30s.",
            rich_help_panel=_OPTIONS,
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="JSONL or CSV, a notification a line; - is stdin.",
            rich_help_panel=_MANY,
        ),
    ] = None,
    keep_going: Annotated[
        bool,
        typer.Option(
            "--keep-going",
            metavar="",
            help="Accept the good lines and report the others, instead of all or none.",
            rich_help_panel=_MANY,
        ),
    ] = False,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Accept a notification, or a file of them: from here on it is not lost."""
    given = {
        "--text": text,
        "--image": image,
        "--document": document,
        "--content": content,
        "RECIPIENT": recipient,
        "--caption": caption,
        "--key": key,
        "--priority": priority,
        "--send-at": send_at,
        "--expires-in": expires_in,
        "--max-attempts": max_attempts,
        "--on-unknown": on_unknown,
        "--metadata": metadata,
        "--wait": wait,
    }
    if file is not None:
        for name, value in given.items():
            if value is not None:
                raise typer.BadParameter(f"With --file each line says it, so {name} cannot")
        _enqueue_file(file, account, database_url, keep_going=keep_going, json=json)
        return
    _check(given, keep_going=keep_going)

    from outbox.log import intake  # noqa: PLC0415
    from outbox.recipient import jid  # noqa: PLC0415

    to = recipient or ""
    jid(to)
    body = _object("--content", content) or {"kind": "text", "text": text}
    options = {
        "idempotency_key": key,
        "priority": priority,
        "max_attempts": max_attempts,
        "on_unknown": on_unknown,
        "metadata": _object("--metadata", metadata),
    }
    with opened(database_url) as connection:
        length = duration(connection, "--wait", wait)
        due = moment(connection, "--send-at", send_at, 1)
        span = duration(connection, "--expires-in", expires_in)
        options["send_at"] = due and due.isoformat()
        options["expires_in"] = None if span is None else f"{span.total_seconds()} seconds"
        if image is not None:
            body = _media(connection, image, "image", caption)
        elif document is not None:
            body = _media(connection, document, "document", caption)
        row = {name: value for name, value in options.items() if value is not None}
        with _one():
            accepted = intake.accept(
                connection, [row | {"recipient": to, "content": body}], account
            )
    if length is not None:
        _wait(database_url, accepted[0], length, json=json)
    elif json:
        write_json({"id": accepted[0], "account": account})
    else:
        out().print(str(accepted[0]))


def _check(given: dict[str, Any], *, keep_going: bool) -> None:
    """Refuse what does not go together."""
    contents = ("--text", "--image", "--document", "--content")
    if keep_going:
        raise typer.BadParameter("--keep-going goes with --file")
    if given["RECIPIENT"] is None:
        raise typer.BadParameter("Give a RECIPIENT, or --file")
    if sum(given[name] is not None for name in contents) != 1:
        raise typer.BadParameter(f"Give one of {', '.join(contents)}")
    if given["--caption"] is not None and given["--image"] is given["--document"]:
        raise typer.BadParameter("--caption goes with --image or --document")


@contextmanager
def _one() -> "Iterator[None]":
    """Let a refusal of the only notification not speak of a batch."""
    from psycopg import DataError  # noqa: PLC0415

    from outbox.errors import Refused  # noqa: PLC0415

    try:
        yield
    except Refused as error:
        raise Failure(
            ExitCode.REFUSED, str(error).replace("number 1 of the batch: ", "")
        ) from error
    except DataError as error:
        raise Failure(ExitCode.REFUSED, one_line(error)) from error


def _wait(database_url: str | None, accepted: "UUID", length: "timedelta", *, json: bool) -> None:
    """Wait until it is sent, and exit with what became of it."""
    from outbox.caller.waiting import wait_for  # noqa: PLC0415
    from outbox.log import notifications  # noqa: PLC0415

    begun = time.monotonic()
    # By the URL, so that a connection that is lost while waiting is made again.
    wait_for(named(database_url), accepted, length.total_seconds())
    waited = time.monotonic() - begun
    with opened(database_url) as connection:
        shown = notifications.show(connection, accepted)
    if json:
        write_json(
            {
                "id": accepted,
                "account": shown.account,
                "state": shown.state,
                "message_id": shown.message_id,
                "last_error": shown.last_error,
                "waited": round(waited, 3),
            }
        )
    if shown.state in notifications.SENT:
        if not json:
            out().print(f"{accepted} {shown.state} after {wording.span(waited)}")
        return
    from outbox.words import narrative  # noqa: PLC0415

    if shown.state in notifications.DEAD:
        raise Failure(
            ExitCode.NOT_SENT,
            f"{accepted} is {shown.state}, {narrative.meaning(shown)}; "
            f"next: {narrative.next_step(shown)}",
        )
    raise Failure(
        ExitCode.QUEUED,
        f"{accepted} is queued, not sent within {wording.seconds(length)}: it is {shown.state}, "
        f"{narrative.next_step(shown)}; look: outbox show {accepted}",
    )


def _enqueue_file(
    name: str, account: str, database_url: str | None, *, keep_going: bool, json: bool
) -> None:
    from outbox.cli import batch  # noqa: PLC0415

    with opened(database_url) as connection, _read(name) as file, counter("lines") as progress:
        found = batch.lines(file)
        refused: list[batch.Refusal] = []
        if keep_going:
            accepted, refused = batch.accept_good(connection, account, found, progress)
        else:
            accepted = batch.accept_all(connection, account, found, progress)
    if json:
        write_json(
            {
                "account": account,
                "accepted": [one._asdict() for one in accepted],
                "refused": [one._asdict() for one in refused],
            }
        )
    else:
        out().print(f"Accepted {wording.number(len(accepted), 'notification')}.")
        for one in refused:
            note(f"line {one.line}: {one.sentence}", "yellow")
    if refused:
        raise Failure(
            ExitCode.IN_PART if accepted else ExitCode.REFUSED,
            f"{wording.number(len(refused), 'line')} refused, {len(accepted):,} accepted: "
            f"correct those lines and enqueue them alone",
        )


@contextmanager
def _read(name: str) -> "Iterator[Any]":
    if name == "-":
        yield sys.stdin
        return
    try:
        file = Path(name).open(encoding="utf-8", newline="")  # noqa: SIM115 - closed below
    except OSError as error:
        raise Failure(ExitCode.USAGE, f"{name} cannot be read: {error.strerror}") from error
    with file:
        yield file


def _media(connection: "Connection", path: Path, kind: str, caption: str | None) -> dict[str, Any]:
    import mimetypes  # noqa: PLC0415

    from outbox.log import intake  # noqa: PLC0415

    try:
        data = path.read_bytes()
    except OSError as error:
        raise Failure(ExitCode.USAGE, f"{path} cannot be read: {error.strerror}") from error
    mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    body: dict[str, Any] = {"kind": kind, "media": intake.store_media(connection, data, mime)}
    if kind == "document":
        body["filename"] = path.name
    if caption is not None:
        body["caption"] = caption
    return body


def _object(option: str, text: str | None) -> Any:  # noqa: ANN401 - the database judges it
    if text is None:
        return None
    try:
        return json_.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option} is not JSON: {error}") from None
