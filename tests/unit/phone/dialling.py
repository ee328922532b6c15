"""A bare connection to a phone, for what no session would say."""

from pathlib import Path
from typing import Self
from uuid import UUID, uuid4

from outbox.session.phone import Phone
from outbox.session.phone.line import Line, decode, encode
from outbox.session.port import attempt_secret
from outbox.session.simulated import message_id_of


class Dialled:
    """A connection that has said its first line, if any; it waits ten seconds to hear one."""

    def __init__(self, phone: Phone, **first: object) -> None:
        self._socket = phone.address.socket()
        self._socket.settimeout(10)
        self._socket.connect(phone.address.target)
        self._lines = self._socket.makefile("rb")
        if first:
            self.say(**first)

    @classmethod
    def logged_in(cls, phone: Phone, account: str = "main") -> Self:
        """Return the connection of an account's session."""
        one = cls(phone, type="login", account=account)
        assert one.hear() == {"type": "connected"}
        return one

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._lines.close()
        self._socket.close()

    def say(self, **line: object) -> None:
        """Say this line."""
        self._socket.sendall(encode(line))

    def hear(self) -> Line | None:
        """Return the next line; None at the end of the connection."""
        try:
            data = self._lines.readline()
        except ConnectionResetError:  # it was dropped with something unread
            return None
        return decode(data) if data else None

    def send(self, jid: str = "1@s.whatsapp.net", notification: UUID | None = None) -> str:
        """Send the first attempt of a notification, and return its message id."""
        notification = notification or uuid4()
        secret = attempt_secret(notification, 1)
        head = {"message_id": message_id_of(secret), "secret": secret.hex(), "jid": jid}
        body = {"kind": "text", "text": "hello"}
        more = {"notification": str(notification), "attempt": 1, "body": body, "media": []}
        self._socket.sendall(
            encode({"type": "trace", **head}) + encode({"type": "frame", **head, **more})
        )
        return str(head["message_id"])

    def acknowledged(self, count: int) -> list[str]:
        """Return the message ids of the next so many acknowledgements."""
        heard = [self.hear() for _ in range(count)]
        return [line["message_id"] for line in heard if line and line["type"] == "sent"]

    def traces(self, *secrets: str) -> dict[str, str]:
        """Ask which of these secrets left a trace."""
        self.say(type="traces", question=1, secrets=secrets)
        answer = self.hear()
        assert answer is not None
        found: dict[str, str] = answer["found"]
        return found


def rows(path: Path) -> list[bytes]:
    """Return the rows of a ledger as they are."""
    return path.read_bytes().splitlines(keepends=True)
