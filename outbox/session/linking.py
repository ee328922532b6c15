"""What linking an account with a phone is to the outbox: the port that every implementation fills.

The phone is somebody's to hold, so this is a conversation: codes come to be shown, each valid for
some seconds, until one of them is used, the phone's side refuses, or time is up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator

PAUSE_SECONDS = 1.0
"""After so long without a word a linking says that it still waits."""


class LinkingError(Exception):
    """It came to nothing, since the phone's side refused or is away; the message says why."""


class NobodyScannedError(LinkingError):
    """Time was up before anybody had used a code."""


class Shown(NamedTuple):
    """What is to be shown to whoever holds the phone; the next one replaces it."""

    kind: Literal["qr", "code"]
    text: str
    """Of a QR code what it encodes, otherwise what is typed."""


class Paired(NamedTuple):
    """The phone has linked the device."""

    jid: str
    """Of the device: number:device@s.whatsapp.net."""


class Linking(Protocol):
    """Links accounts with phones. The caller sees to it that no session of the account runs."""

    @property
    def patience(self) -> float:
        """Seconds that a pairing takes at most."""

    def is_paired(self, account: str) -> bool:
        """Return whether the account has a login.

        Raises:
            ConnectionError: Whoever knows that is away.
        """

    def pair(
        self, account: str, number: str | None = None
    ) -> Generator[Shown | Paired | None, None, None]:
        """Pair an account; yield what is to be shown, and at last that it is paired.

        None is yielded within each `PAUSE_SECONDS` in which there was nothing else to say. Whoever
        closes the generator ends the pairing.

        Args:
            account: The account.
            number: Of the phone, in digits with its country: a code to type instead of QR codes.

        Raises:
            NobodyScannedError: Nobody has used a code in time.
            LinkingError: It came to nothing.
        """

    def unpair(self, account: str) -> None:
        """End the link of a paired account on the phone's side.

        Raises:
            LinkingError: The phone's side could not be told.
        """

    def forget(self, account: str) -> None:
        """Delete the login of a paired account on our side."""
