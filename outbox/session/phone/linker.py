"""A device that is to be linked: the role of a connection that asks for codes, or to be unlinked.

As WhatsApp does it: six QR codes one after the other, or one code to type for as long as all of
them. Whoever holds the handset uses one of them (`Server.scan`).
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from outbox.session.phone.connection import Connection
    from outbox.session.phone.line import Line
    from outbox.session.phone.server import Server

_CODES = 6
_NUMBER = "447700900000"
"""Of the handset, unless a code was asked for by another; one that nobody has."""
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ123456789"
"""What typed codes are made of."""


class Linker:
    """What its lines do. The first answer says whether the account is linked already."""

    def __init__(self, server: Server, account: str, connection: Connection) -> None:
        self.code = ""
        """The one that can be used now."""
        self._server = server
        self._account = account
        self._connection = connection
        self._number: str | None = None
        self._over = False
        self._doing: dict[str, Callable[[Line], None]] = {
            "pair": self._pair,
            "unpair": lambda _: self._unpair(),
        }
        connection.answer({"type": "standing", "linked": server.is_linked(account)})

    def take(self, line: Line) -> None:
        """Do what the line says."""
        self._doing[line["type"]](line)

    def lost(self) -> None:
        """Know that the connection is gone: its code is of no more use."""
        self._over = True
        self._server.linkers.discard(self)

    def use(self) -> None:
        """Link the account, since somebody has used its code."""
        if self._is_refused():
            return
        self._server.link(self._account)
        device = secrets.randbelow(65_535) + 1
        self._end({"type": "paired", "jid": f"{self._number or _NUMBER}:{device}@s.whatsapp.net"})

    def _pair(self, line: Line) -> None:
        if self._is_refused():
            return
        self._number = line["number"]
        self._server.linkers.add(self)
        self._show(1 if self._number is None else _CODES)

    def _show(self, nth: int) -> None:
        if self._over:
            return
        if nth > _CODES:
            self._end({"type": "late"})
            return
        seconds = self._server.fate.behaviour.code
        if self._number is None:
            self.code = f"simulated:{secrets.token_hex(12)}"
        else:
            self.code = "-".join("".join(secrets.choice(_LETTERS) for _ in "1234") for _ in "12")
            seconds *= _CODES
        kind = "qr" if self._number is None else "code"
        self._connection.answer({"type": kind, "text": self.code})
        timeline = self._server.timeline
        timeline.at(timeline.now() + seconds, partial(self._show, nth + 1))

    def _unpair(self) -> None:
        if not self._is_refused():
            self._server.unlink(self._account)
            self._end({"type": "unlinked"})

    def _is_refused(self) -> bool:
        ending = self._server.standing(self._account)
        if ending is not None:
            self._end({"type": "refused", "reason": ending["reason"]})
        return ending is not None

    def _end(self, last: Line) -> None:
        self._over = True
        self._server.linkers.discard(self)
        self._connection.end(last)
