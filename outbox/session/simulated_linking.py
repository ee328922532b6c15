"""To link an account with a simulated phone, or to end that."""

from __future__ import annotations

import select
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from outbox.session.linking import PAUSE_SECONDS, LinkingError, NobodyScannedError, Paired, Shown
from outbox.session.phone.line import Line, decode, encode
from outbox.session.phone.wire import Wire
from outbox.session.simulated import parse_url

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_ANSWER_SECONDS: Final = 10.0
"""Within which a phone that is there answers."""
_PAIR_SECONDS: Final = 130.0
"""Six codes of 20 seconds, and the answer."""


class SimulatedLinking:
    """Links accounts with the phone at a URL.

    The phone alone knows which accounts are linked: there is nothing else by which a simulated
    session logs in.

    Raises:
        ValueError: It is no URL of a phone.
    """

    def __init__(self, url: str) -> None:
        self._address, _ = parse_url(url)

    @property
    def patience(self) -> float:
        """Seconds that a pairing takes at most."""
        return _PAIR_SECONDS

    def is_paired(self, account: str) -> bool:
        """Return whether the phone has linked the account."""
        with self._phone(account) as (_, is_linked):
            return is_linked

    def pair(
        self, account: str, number: str | None = None
    ) -> Generator[Shown | Paired | None, None, None]:
        """Pair an account; yield what is to be shown, and at last that it is paired."""
        with self._phone(account) as (phone, _):
            phone.say({"type": "pair", "number": number})
            for said in phone.hear(_PAIR_SECONDS):
                if said is None:
                    yield None
                    continue
                match said["type"]:
                    case "qr" | "code" as kind:
                        yield Shown(kind, said["text"])
                    case "paired":
                        yield Paired(said["jid"])
                        return
                    case "refused":
                        raise LinkingError(said["reason"])
                    case "late":
                        break
        raise NobodyScannedError("nobody has used a code in time")

    def unpair(self, account: str) -> None:
        """End the link on the phone."""
        with self._phone(account) as (phone, _):
            phone.say({"type": "unpair"})
            said = phone.answer()
            if said["type"] != "unlinked":
                raise LinkingError(said["reason"])

    def forget(self, account: str) -> None:
        """Do the same as `unpair`, unless that was done: there is no login but the phone's."""
        if self.is_paired(account):
            self.unpair(account)

    @contextmanager
    def _phone(self, account: str) -> Iterator[tuple[_Phone, bool]]:
        """Call the phone, which says first whether it has linked the account."""
        sock = self._address.socket()
        try:
            sock.settimeout(_ANSWER_SECONDS)
            sock.connect(self._address.target)
            phone = _Phone(Wire(sock))
            phone.say({"type": "link", "account": account})
            yield phone, phone.answer()["linked"]
        except OSError as error:
            raise LinkingError(f"the phone at {self._address} is away: {error}") from None
        finally:
            sock.close()


class _Phone:
    """A connection to the phone, in lines."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def say(self, line: Line) -> None:
        self._wire.push(encode(line))
        self._wire.flush()

    def answer(self) -> Line:
        for said in self.hear(_ANSWER_SECONDS):
            if said is not None:
                return said
        raise TimeoutError("it does not answer")

    def hear(self, seconds: float) -> Iterator[Line | None]:
        """Yield what it says, None after each pause, until time is up."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([self._wire.socket], [], [], min(left, PAUSE_SECONDS))
            if not ready:
                yield None
            else:
                yield from map(decode, self._wire.pull())
