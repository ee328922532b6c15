"""`outbox verify`: whether the log is what its seals say."""

import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import DatabaseUrl, opened
from outbox.cli.progress import counter
from outbox.cli.terminal import Json, out, write_json
from outbox.words.wording import number

if TYPE_CHECKING:
    from outbox.log.verify import Finding, Verification

_NOTED = re.compile(r"\b(\d{1,18}):([0-9a-f]{64})\b")
_SHOWN = 1000
"""Findings on the terminal; JSON has them all."""


def verify(
    witness: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Any text with lines of the workers' logs, as a log drain has kept them: every "
            "seal that it names has to be there as it was; - reads them from stdin.",
            show_default=False,
        ),
    ] = None,
    archives: Annotated[
        bool, typer.Option(help="Read the months that lie in archives alone, from there.")
    ] = True,
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Recompute every seal, and name each event that was changed, removed or added since.

    It reads the whole log through one snapshot, beside any traffic, and changes nothing.
    """
    from outbox.archive import file  # noqa: PLC0415
    from outbox.log import verify as proof  # noqa: PLC0415
    from outbox.log.replay import last_position  # noqa: PLC0415

    noted = _noted(witness)
    result = proof.Verification()
    with (
        opened(database_url) as connection,
        counter("events", last_position(connection)) as count,
    ):
        findings = list(
            proof.verify(
                connection,
                result,
                witnessed=noted,
                archived=file.digests if archives else None,
                progress=count,
            )
        )
    if json:
        write_json(
            {
                **asdict(result),
                "witnessed": len(noted),
                "findings": [one._asdict() for one in findings],
            }
        )
    else:
        _tell(result, findings, len(noted))
    if findings:
        raise typer.Exit(ExitCode.NOT_WHOLE)


def _noted(witness: Path | None) -> dict[int, bytes]:
    """Return the digests of seals that a text names, by the seals' numbers.

    Raises:
        Failure: It cannot be read, names none, or contradicts itself.
    """
    if witness is None:
        return {}
    try:
        text = sys.stdin.read() if str(witness) == "-" else witness.read_text("utf-8", "replace")
    except OSError as error:
        raise Failure(
            ExitCode.USAGE, f"--witness {witness} cannot be read: {error.strerror}"
        ) from None
    noted: dict[int, bytes] = {}
    for seal, digest in _NOTED.findall(text):
        if noted.setdefault(int(seal), bytes.fromhex(digest)).hex() != digest:
            raise Failure(
                ExitCode.USAGE,
                f"--witness {witness} names seal {seal} with two digests: the database was "
                f"restored to before it, or these are the logs of two databases; give those lines "
                f"alone that belong to the log as it is now",
            )
    if not noted:
        raise Failure(
            ExitCode.USAGE,
            f"--witness {witness} names no seal: the worker's log says seal=NUMBER:DIGEST",
        )
    return noted


def _tell(result: "Verification", findings: "list[Finding]", witnessed: int) -> None:
    console = out()
    for one in findings[:_SHOWN]:
        console.print(_sentence(one), soft_wrap=True)
    if len(findings) > _SHOWN:
        console.print(f"… and {len(findings) - _SHOWN:,} more; see them all with --json")
    if not result.seals:
        console.print(
            f"Nothing is sealed yet: {number(result.unsealed, 'event')}; "
            "a worker seals every minute."
        )
        return
    said = f"{number(result.events, 'event')} under {number(result.seals, 'seal')}"
    if result.archived:
        said += f", of which {result.archived:,} in archives that were left out"
    if witnessed:
        said += f"; {number(witnessed, 'seal')} compared with a witness"
    console.print(f"{said}; {number(result.unsealed, 'event')} since the last seal.")
    if findings:
        console.print(
            f"The log is not what its seals say: {number(len(findings), 'finding')}; "
            f"see docs/proof.md",
            style="bold red",
        )
    else:
        what = "What was read of the log" if result.archived else "The log"
        console.print(f"{what} is whole. Last seal {result.last}", soft_wrap=True, style="green")


def _sentence(one: "Finding") -> str:
    """Say what was found."""
    who = f"event {one.position}"
    if one.type is not None:
        who += f" ({one.type}, version {one.version} of {one.stream}, account {one.account})"
    under = f"seal {one.seal}"
    if one.sealed_at is not None:
        under += f" of {one.sealed_at:%Y-%m-%d %H:%M:%S %Z}"
    match one.kind:
        case "changed":
            return f"changed: {who} is not what it was when it came under {under}"
        case "removed":
            return f"removed: {who}, which is under {under}, is gone"
        case "added":
            return f"added: {who} ought to be under a seal and is under none"
        case "seal_changed":
            return f"seal changed: {under} does not fit the events under it and the seal before it"
        case "seal_missing":
            return f"seal missing: there is no {under}, and there are later ones"
        case "not_witnessed":
            return f"not as witnessed: {under} is not there, or has another digest than was noted"
