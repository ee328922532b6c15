"""To link an account with a phone, or to end that: a session process that does this and no more.

The phone is somebody's to hold, so this is a conversation: codes come to be shown, each valid for
some seconds, until one of them is used or time is up.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

from outbox.session.whatsapp.channel import pair as channel_pair
from outbox.session.whatsapp.child import start
from outbox.session.whatsapp.errors import without_numbers
from outbox.session.whatsapp.session import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from outbox.session.whatsapp.channel import Channel, Said

PAIR_SECONDS = 170.0
"""WhatsApp gives six codes, the first for 60 seconds and the others for 20; then comes a login."""
_UNPAIR_SECONDS = 75.0


class LinkingError(Exception):
    """It came to nothing; the message says why."""


class _EndedError(LinkingError):
    """The session process has said why it ends."""

    def __init__(self, said: Said) -> None:
        super().__init__(without_numbers(said["reason"]))
        self.kind = said["as"]


class Shown(NamedTuple):
    """What is to be shown to whoever holds the phone; the next one replaces it."""

    kind: Literal["qr", "code"]
    text: str


class Paired(NamedTuple):
    """The phone has linked the device."""

    jid: str
    """Of the device, as whatsmeow's store has it: number:device@s.whatsapp.net."""


def pair(
    account: str, store_url: str, number: str | None = None, *, program: Sequence[str] = PROGRAM
) -> Iterator[Shown | Paired]:
    """Pair an account; yield what is to be shown, and at last that it is paired.

    Args:
        account: The account.
        store_url: Of whatsmeow's store.
        number: Of the phone, in digits with its country: a code to type instead of QR codes.
        program: What the session process runs: a module and its arguments.

    Raises:
        LinkingError: It came to nothing.
    """
    job: Said = {"type": "pair", "account": account, "store": store_url, "number": number}
    with _process(job, program) as channel:
        for said in _heard(channel, PAIR_SECONDS, "nobody has used a code in time"):
            match said["type"]:
                case "qr" | "code" as kind:
                    yield Shown(kind, said["text"])
                case "paired":
                    yield Paired(said["jid"])
                    return


def unpair(account: str, store_url: str, jid: str, *, program: Sequence[str] = PROGRAM) -> None:
    """Log an account's device out, on WhatsApp's side and in whatsmeow's store.

    Raises:
        LinkingError: WhatsApp could not be told.
    """
    job: Said = {"type": "unpair", "account": account, "store": store_url, "device": jid}
    with _process(job, program) as channel:
        try:
            for said in _heard(channel, _UNPAIR_SECONDS, "WhatsApp did not answer"):
                if said["type"] == "unpaired":
                    return
        except _EndedError as ended:
            if ended.kind != "logged_out":  # the phone, or WhatsApp, has done it already
                raise


@contextmanager
def _process(job: Said, program: Sequence[str]) -> Iterator[Channel]:
    channel, theirs = channel_pair()
    process = start(program, theirs, quiet=True)
    try:
        channel.tell(job)
        yield channel
    finally:
        process.kill()
        process.wait()
        channel.close()


def _heard(channel: Channel, seconds: float, late: str) -> Iterator[Said]:
    """Yield what the process says, until it says that it has failed or time is up."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            said = channel.hear(left)
        except (EOFError, OSError):
            raise LinkingError("the session process died") from None
        if said is not None and said["type"] == "ended":
            raise _EndedError(said)
        if said is not None:
            yield said
    raise LinkingError(late)
