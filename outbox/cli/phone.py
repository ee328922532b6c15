"""`outbox phone`: a simulated phone, run by hand."""

import json as json_
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outbox.cli.exits import ExitCode, Failure
from outbox.cli.terminal import note, out, write_json, write_json_line
from outbox.words import wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outbox.session.phone import Address, Fault, Frame, Phone

_LOOK_SECONDS = 0.1


def phone(
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where, or unix:/path; port 0 is any.")
    ] = "127.0.0.1:5222",
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where its ledger is kept, to go on with later; a temporary one unless given.",
            show_default=False,
        ),
    ] = None,
    latency: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, help="Seconds from a message to its acknowledgement."
        ),
    ] = 0.2,
    delivered: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", help="Seconds to the receipt of its delivery; below 0 none comes."
        ),
    ] = 1.0,
    read: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", help="Seconds to the receipt that it was read; below 0 none comes."
        ),
    ] = -1.0,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="JSON",
            show_default=False,
            help='What befalls messages, may be repeated: \'{"do": "fail", "probability": 0.2, '
            '"times": null}\'.',
        ),
    ] = None,
    unpaired: Annotated[
        bool,
        typer.Option(
            "--unpaired", help="Its accounts are logged out until somebody scans their codes."
        ),
    ] = False,
    scan: Annotated[
        str | None,
        typer.Option(
            metavar="CODE",
            show_default=False,
            help="Take the handset of the phone that listens, and use the code that is shown.",
        ),
    ] = None,
    unlink: Annotated[
        str | None,
        typer.Option(
            metavar="ACCOUNT",
            show_default=False,
            help="Take the handset, and unlink an account, which has to be paired again.",
        ),
    ] = None,
    write: Annotated[
        tuple[str, str, str] | None,
        typer.Option(
            metavar="ACCOUNT RECIPIENT TEXT",
            show_default=False,
            help="Take a recipient's phone, and write to an account of the phone that listens.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", metavar="", help="Write JSON, a line a message.")
    ] = False,
) -> None:
    """Play WhatsApp for a worker: acknowledge messages and show what arrives, until Ctrl-C."""
    from outbox.session.phone import Address, Behaviour, Phone  # noqa: PLC0415

    try:
        address = Address.parse(listen)
    except ValueError as error:
        raise typer.BadParameter(f"--listen: {error}") from None
    if scan is not None or unlink is not None or write is not None:
        _handset(address, scan, unlink, write, json=json)
        return
    behaviour = Behaviour(
        latency=latency,
        delivered=None if delivered < 0 else delivered,
        read=None if read < 0 else read,
    )
    faults = [_fault(text) for text in fault or ()]
    with tempfile.TemporaryDirectory(prefix="outbox-phone-") as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        try:
            running = Phone.start(
                place, listen=address, behaviour=behaviour, faults=faults, unpaired=unpaired
            )
        except RuntimeError as error:
            raise Failure(
                ExitCode.USAGE, f"{error}; choose another --listen, or end who listens there"
            ) from None
        with running:
            _greet(running, unpaired=unpaired, json=json)
            try:
                for frame in _frames(running):
                    _show(frame, json=json)
            except KeyboardInterrupt:
                raise typer.Exit(0) from None  # it is how to end it


def _handset(
    address: "Address",
    scan: str | None,
    unlink: str | None,
    write: tuple[str, str, str] | None,
    *,
    json: bool,
) -> None:
    """Do what whoever holds the handset of a running phone does, or a recipient."""
    from outbox.recipient import form  # noqa: PLC0415
    from outbox.session.phone import Control  # noqa: PLC0415

    account, recipient, text = write or ("", "", "")
    jid = form(recipient)
    if write is not None and jid is None:
        raise typer.BadParameter(f"--write: {recipient!r} is neither a number nor a JID")
    try:
        with Control(address) as control:
            if unlink is not None:
                control.unlink(unlink)
            if scan is not None:
                control.scan(scan)
            if jid is not None:
                control.write(account, jid, text)
    except OSError as error:
        raise Failure(
            ExitCode.NOT_LINKED, f"No phone answers at {address}: {error}; run: outbox phone"
        ) from None
    except ValueError as error:
        raise Failure(ExitCode.NOT_LINKED, f"It cannot be scanned: {error}") from None
    if json:
        write_json({"scanned": scan, "unlinked": unlink, "written": jid})
    else:
        out().print("done")


def _fault(text: str) -> "Fault":
    from outbox.session.phone import Fault  # noqa: PLC0415

    try:
        return Fault.of(json_.loads(text))
    except (TypeError, ValueError) as error:
        raise typer.BadParameter(f"--fault {text}: {error}") from None


def _frames(running: "Phone") -> "Iterator[Frame]":
    """Yield what the phone receives from now on."""
    from outbox.session.phone import Frame  # noqa: PLC0415

    with running.ledger.open("rb") as rows:
        rows.seek(0, 2)
        rest = b""
        while True:
            rest += rows.readline()
            if rest.endswith(b"\n"):
                yield Frame.from_row(json_.loads(rest))
                rest = b""
            elif not rest or rows.tell() == running.ledger.stat().st_size:
                time.sleep(_LOOK_SECONDS)


def _greet(running: "Phone", *, unpaired: bool, json: bool) -> None:
    if json:
        write_json_line({"url": running.url, "ledger": str(running.ledger)})
    else:
        out().print(f"The phone listens; OUTBOX_SESSION={running.url}", soft_wrap=True)
        if unpaired:
            note(
                f"Nobody is paired; use a code with: outbox phone --listen {running.address} --scan"
            )
        note("What it receives follows. Ctrl-C ends it.", "dim")


def _show(frame: "Frame", *, json: bool) -> None:
    from rich.text import Text  # noqa: PLC0415

    from outbox.words.narrative import kind, shortened, words  # noqa: PLC0415

    if json:
        write_json_line(
            {
                "received_at": frame.received_at,
                "account": frame.account,
                "jid": frame.jid,
                "notification": frame.notification,
                "attempt": frame.attempt,
                "message_id": frame.message_id,
                "body": frame.body,
                "media": frame.media,
            }
        )
        return
    said = words(frame.body) or ""
    text = Text.assemble(
        (f"{frame.received_at.astimezone():%H:%M:%S.%f}"[:-3], "dim"),
        f"  {frame.account}  {wording.recipient(frame.jid)}  {kind(frame.body)}  ",
        (shortened(str(said)), "bold"),
        (f"  {frame.notification} attempt {frame.attempt}", "dim"),
    )
    out().print(text, soft_wrap=True)
