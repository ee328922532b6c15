"""The operator's side of the control channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from outbox.session.phone.behaviour import ANY, Fault, ReceiptKind, StandingKind
from outbox.session.phone.line import Line, decode, encode

if TYPE_CHECKING:
    from outbox.session.phone.address import Address

_PATIENCE = 10.0
"""Seconds in which a phone that is there answers."""


class Control:
    """A connection that decides how a phone behaves; for one thread at a time.

    A method returns when the phone has answered, so what it asked for is in force. Where an
    account may be named, `*` is every account.
    """

    def __init__(self, address: Address) -> None:
        self._socket = address.socket()
        self._socket.settimeout(_PATIENCE)
        try:
            self._socket.connect(address.target)
        except OSError:
            self._socket.close()
            raise
        self._lines = self._socket.makefile("rb")
        self._ask({"type": "control"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the phone goes on as it was told."""
        self._lines.close()
        self._socket.close()

    def behave(self, **behaviour: float | None) -> None:
        """Change these fields of `Behaviour`, from the next frame on."""
        self._ask({"type": "behave", "behaviour": behaviour})

    def fault(self, fault: Fault) -> None:
        """Let this fault strike, after those that there are."""
        self._ask({"type": "fault", "fault": fault.to_json()})

    def heal(self) -> None:
        """Let no fault strike any more."""
        self._ask({"type": "heal"})

    def drop(self, account: str = ANY) -> None:
        """Drop the account's connection without a word."""
        self._ask({"type": "drop", "account": account})

    def replace(self, account: str = ANY) -> None:
        """End the account's session as if another had logged in."""
        self._ask({"type": "replace", "account": account})

    def deafen(self, account: str = ANY) -> None:
        """Read nothing more from the account's connection, as a peer that hangs."""
        self._ask({"type": "deafen", "account": account})

    def hear(self, account: str = ANY) -> None:
        """Read on from a connection that was deafened."""
        self._ask({"type": "hear", "account": account})

    def stand(
        self, standing: StandingKind, account: str = ANY, seconds: float | None = None
    ) -> None:
        """End the account's session and refuse its logins, until `lift` or for some seconds."""
        self._ask({"type": "stand", "standing": standing, "account": account, "seconds": seconds})

    def lift(self, account: str = ANY) -> None:
        """Accept the account's logins again; with `*` every account's."""
        self._ask({"type": "lift", "account": account})

    def scan(self, code: str) -> None:
        """Use a code that a device shows which is to be linked, as a handset's camera or keys do.

        Raises:
            ValueError: Nobody shows it, or no more.
        """
        self._ask({"type": "scan", "code": code})

    def unlink(self, account: str = ANY) -> None:
        """Unlink the account's device on the handset: it has to be paired again."""
        self._ask({"type": "unlink", "account": account})

    def receipt(self, account: str, message_id: str, receipt: ReceiptKind | str) -> None:
        """Hand a receipt to the account's session, or to its next; also one of no known kind."""
        self._ask(
            {
                "type": "receipt",
                "account": account,
                "message_id": message_id,
                "receipt": receipt,
            }
        )

    def write(self, account: str, jid: str, text: str) -> None:
        """Let somebody write to the account: its session reads it, or its next."""
        self._ask({"type": "write", "account": account, "jid": jid, "text": text})

    def wait(self, what: str, count: int, seconds: float = 10.0) -> None:
        """Return as soon as the phone has counted so many of these, as named in `stats`.

        Raises:
            TimeoutError: it has not within these seconds.
        """
        self._socket.settimeout(seconds + _PATIENCE)
        self._ask({"type": "wait", "what": what, "count": count, "seconds": seconds})
        self._socket.settimeout(_PATIENCE)

    def stats(self) -> dict[str, Any]:
        """Return what the phone has counted since its start, and who is connected.

        `logins`, `refused` (logins), `replaced`, `dropped`, `left` (connections that are gone),
        `traces`, `frames` (received), `sent`, `failed`, `rejected` (answers), `receipts`; each
        only if there was one. `connected` names the accounts.
        """
        stats: dict[str, Any] = self._ask({"type": "stats"})["stats"]
        return stats

    def _ask(self, line: Line) -> Line:
        self._socket.sendall(encode(line))
        data = self._lines.readline()
        if not data:
            raise ConnectionError("the phone has hung up")
        answer = decode(data)
        if answer["type"] == "late":
            raise TimeoutError(answer["error"])
        if answer["type"] == "error":
            raise ValueError(answer["error"])
        return answer
