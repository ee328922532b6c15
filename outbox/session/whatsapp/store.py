"""What a session needs of whatsmeow's store, which is tables in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Store(Protocol):
    """Where logins are kept. Every method raises ConnectionError while the database is away."""

    def device(self, account: str) -> tuple[str, str] | None:
        """Return the account's login, or None if it is not paired.

        That is the device's JID in whatsmeow's store (number:device@s.whatsapp.net), and the URL of
        the store as whatsmeow reads it, which is a secret.
        """

    def traces(self, account: str, secrets: Sequence[bytes]) -> Mapping[bytes, str]:
        """Return the message id of each secret with which a message may have left."""


class LoginStore(Store, Protocol):
    """What linking needs besides."""

    def url(self, account: str) -> str:
        """Return the URL of the store, as whatsmeow reads it, for an account that is to be paired.

        It is a secret.
        """

    def forget_device(self, account: str) -> None:
        """Delete the account's device with all its keys, if whatsmeow has not."""
