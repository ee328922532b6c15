"""To link an account with WhatsApp, or to end that: a session process that does no more."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from outbox.session.linking import PAUSE_SECONDS, LinkingError, NobodyScannedError, Paired, Shown
from outbox.session.whatsapp.channel import pair as channel_pair
from outbox.session.whatsapp.child import start
from outbox.session.whatsapp.errors import without_numbers
from outbox.session.whatsapp.session import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from outbox.session.whatsapp.channel import Channel, Said
    from outbox.session.whatsapp.store import LoginStore

PAIR_SECONDS = 170.0
"""WhatsApp gives six codes, the first for 60 seconds and the others for 20; then comes a login."""
_UNPAIR_SECONDS = 75.0


class _EndedError(LinkingError):
    """The session process has said why it ends."""

    def __init__(self, said: Said) -> None:
        super().__init__(without_numbers(said["reason"]))
        self.kind = said["as"]


class WhatsappLinking:
    """Links accounts with WhatsApp.

    Args:
        store: Where logins are.
    """

    def __init__(self, store: LoginStore) -> None:
        self._store = store

    @property
    def patience(self) -> float:
        """Seconds that a pairing takes at most."""
        return PAIR_SECONDS

    def is_paired(self, account: str) -> bool:
        """Return whether the account has a login that WhatsApp has not taken away."""
        return self._store.device(account) is not None

    def pair(
        self, account: str, number: str | None = None
    ) -> Generator[Shown | Paired | None, None, None]:
        """Pair an account; yield what is to be shown, and at last that it is paired."""
        url = self._store.url(account)
        job: Said = {"type": "pair", "account": account, "store": url, "number": number}
        with _process(job) as channel:
            for said in _heard(channel, PAIR_SECONDS):
                if said is None:
                    yield None
                    continue
                match said["type"]:
                    case "qr" | "code" as kind:
                        yield Shown(kind, said["text"])
                    case "paired":
                        yield Paired(said["jid"])
                        return
                    case _:  # a sign of life, which may come before any pause is over
                        yield None
        raise NobodyScannedError("nobody has used a code in time")

    def unpair(self, account: str) -> None:
        """Log an account's device out, on WhatsApp's side and in whatsmeow's store."""
        device = self._store.device(account)
        if device is None:
            return
        jid, url = device
        job: Said = {"type": "unpair", "account": account, "store": url, "device": jid}
        with _process(job) as channel:
            try:
                for said in _heard(channel, _UNPAIR_SECONDS):
                    if said and said["type"] == "unpaired":
                        return
            except _EndedError as ended:
                if ended.kind != "logged_out":  # the phone, or WhatsApp, has done it already
                    raise
                return
        raise LinkingError("WhatsApp did not answer")

    def forget(self, account: str) -> None:
        """Delete the account's device with all its keys, if whatsmeow has not."""
        self._store.forget_device(account)


@contextmanager
def _process(job: Said) -> Iterator[Channel]:
    channel, theirs = channel_pair()
    process = start(PROGRAM, theirs, quiet=True)
    try:
        channel.tell(job)
        yield channel
    finally:
        process.kill()
        process.wait()
        channel.close()


def _heard(channel: Channel, seconds: float) -> Iterator[Said | None]:
    """Yield what the process says, None after each pause, until it has failed or time is up."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            said = channel.hear(min(left, PAUSE_SECONDS))
        except (EOFError, OSError):
            raise LinkingError("the session process died") from None
        if said is not None and said["type"] == "ended":
            raise _EndedError(said)
        yield said
