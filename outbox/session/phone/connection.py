"""One connection to the phone: lines in, lines out, and an end after which nothing is received."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import TYPE_CHECKING, Protocol, cast

from outbox.session.phone.line import Line, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

_ordinals = itertools.count(1)

_LINGER = 2.0
"""Seconds in which a session that was told its end may hang up by itself."""


class Role(Protocol):
    """Who is on the other side: a session or an operator."""

    def take(self, line: Line) -> None:
        """Do what the line says.

        Raises:
            KeyError, TypeError, ValueError: it says nothing that could be done.
        """

    def lost(self) -> None:
        """Know that the connection is gone."""


class Switchboard(Protocol):
    """What a connection needs of the server."""

    def role(self, connection: Connection, line: Line) -> Role | None:
        """Return who this is by the first line; None: not to be let in."""

    def soon(self, connection: Connection) -> None:
        """Flush this connection at the next `settle`."""

    def settle(self) -> None:
        """Make durable what was received, then send what is to be answered."""


class Connection(asyncio.Protocol):
    """The bytes of one connection.

    Answers are held until the server settles, so that none leaves before the ledger has the frame
    that it answers. From `end` or `drop` on, every byte that arrives is discarded unread: that is
    what makes a missing trace a proof.
    """

    def __init__(self, server: Switchboard) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._role: Role | None = None
        self._rest = b""
        self._answers: list[bytes] = []
        self._over = False
        self.ordinal = next(_ordinals)
        """Which of all connections it is, in the order in which they were made."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take the lines that are whole."""
        if self._over:
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line)
            if self._over:
                break
        self._server.settle()

    def _take(self, data: bytes) -> None:
        try:
            line = decode(data)
            if self._role is None:
                self._role = self._server.role(self, line)
            else:
                self._role.take(line)
        except (KeyError, TypeError, ValueError) as wrong:
            log.warning("dropped a connection that sent %r: %r", data[:200], wrong)
            self.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever it was."""
        del exc
        self._over = True
        if self._role is not None:
            self._role.lost()
        self._server.settle()

    def answer(self, line: Line) -> None:
        """Send this line at the next `settle`; nothing happens when the connection has ended."""
        if not self._over:
            self._answers.append(encode(line))
            self._server.soon(self)

    def flush(self) -> None:
        """Send what was answered."""
        if self._answers and self._transport is not None:
            self._transport.write(b"".join(self._answers))
            self._answers.clear()

    def deafen(self) -> None:
        """Read nothing more from now on, as a peer that hangs."""
        if self._transport is not None:
            self._transport.pause_reading()

    def hear(self) -> None:
        """Read on."""
        if self._transport is not None:
            self._transport.resume_reading()

    def drop(self) -> None:
        """End without a word, after what was answered so far."""
        self._finish(lambda transport: transport.close())

    def end(self, last: Line) -> None:
        """End with this line.

        The other side must be able to read it, which a reset because of unread bytes would
        prevent: so only the sending half is closed, and what still arrives is thrown away.
        """
        self.answer(last)
        self._finish(self._linger)

    @staticmethod
    def _linger(transport: asyncio.Transport) -> None:
        transport.write_eof()
        transport.resume_reading()
        asyncio.get_running_loop().call_later(_LINGER, transport.abort)

    def _finish(self, close: Callable[[asyncio.Transport], None]) -> None:
        if self._over or self._transport is None:
            return
        self._over = True
        self._server.settle()
        close(self._transport)
