"""How a command ends: its exit code, and one sentence that says why and shows the way out.

`docs/cli.md` promises these codes to scripts; a code never changes its meaning.
"""

from __future__ import annotations

import os
from enum import IntEnum
from typing import NamedTuple


class ExitCode(IntEnum):
    """What a command's exit code means."""

    OK = 0
    UNEXPECTED = 1
    """A mistake in the outbox, or something that it does not know."""
    USAGE = 2
    """The command line or the environment says something that cannot be."""
    REFUSED = 3
    """The outbox refused the input; nothing of it was accepted."""
    NOT_FOUND = 4
    """There is no such notification, account, webhook or recipient, or no single one."""
    WRONG_STATE = 5
    """It is there, but its state does not allow what was asked."""
    NO_DATABASE = 6
    """No database is named, it cannot be reached, or its schema is not this release's."""
    QUEUED = 7
    """`enqueue --wait`: accepted and queued, not sent within the time given."""
    NOT_SENT = 8
    """`enqueue --wait`: accepted, and ended without success."""
    IN_PART = 9
    """Some of what was given was done, and some was refused."""
    NOT_LINKED = 10
    """`pair`, `unpair`, `phone --scan`: the phone or WhatsApp did not do its part."""
    BROKEN = 11
    """`doctor`: something is broken."""
    NOT_WHOLE = 12
    """`verify`: the log is not what its seals say."""
    DIFFERENT = 13
    """`replay --check`: the projections are not what the log makes of them."""
    INTERRUPTED = 130
    """Ctrl-C, as shells count it."""
    BROKEN_PIPE = 141
    """Whoever read the output is gone, as shells count it."""


class Failure(Exception):  # noqa: N818 - it is how a command ends, whoever is to blame
    """Ends the command with a code and a sentence."""

    def __init__(self, code: ExitCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Ending(NamedTuple):
    """How a command ends that an exception has ended."""

    code: ExitCode
    sentence: str


def ending(error: BaseException) -> Ending:
    """Return how a command ends that has raised this error."""
    if isinstance(error, Failure):
        return Ending(error.code, str(error))

    import psycopg  # noqa: PLC0415 - only whoever fails pays for it

    from outbox import errors  # noqa: PLC0415
    from outbox.delivery.pairing import NotNowError  # noqa: PLC0415
    from outbox.embedded import EmbeddedError  # noqa: PLC0415
    from outbox.log.months import ArchiveError  # noqa: PLC0415
    from outbox.log.notifications import AmbiguousIdError  # noqa: PLC0415
    from outbox.log.replay import PartlyArchivedError  # noqa: PLC0415
    from outbox.log.swap import SwapError  # noqa: PLC0415
    from outbox.session.linking import LinkingError  # noqa: PLC0415

    codes: dict[tuple[type[BaseException], ...], ExitCode] = {
        (
            *(errors.UnknownNotification, errors.UnknownAccount, errors.UnknownWebhook),
            errors.UnknownRecipient,
            AmbiguousIdError,
        ): ExitCode.NOT_FOUND,
        (errors.WrongState, errors.StaleEpoch, errors.VersionConflict, NotNowError): (
            ExitCode.WRONG_STATE
        ),
        (ArchiveError, PartlyArchivedError, SwapError): ExitCode.WRONG_STATE,
        (LinkingError,): ExitCode.NOT_LINKED,
        (errors.Refused,): ExitCode.REFUSED,
        (EmbeddedError,): ExitCode.NO_DATABASE,
    }
    for kinds, code in codes.items():
        if isinstance(error, kinds):
            return Ending(code, str(error))
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Ending(ExitCode.NO_DATABASE, f"The database was lost: {one_line(error)}")
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        sentence = f"The role may not do this: {one_line(error)}; use the one that migrated"
        return Ending(ExitCode.NO_DATABASE, sentence)
    return Ending(
        ExitCode.UNEXPECTED,
        f"Unexpected {type(error).__name__}: {one_line(error)}; "
        f"OUTBOX_TRACEBACK=1 shows where it comes from",
    )


def wants_traceback() -> bool:
    """Whether the environment asks for tracebacks instead of sentences."""
    return os.environ.get("OUTBOX_TRACEBACK", "") not in {"", "0"}


def one_line(error: BaseException) -> str:
    """Return an error's message on one line; of the database's the first line says all."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
