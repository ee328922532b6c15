"""One client's connection, from the handshake on: nodes in, nodes out."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock, Timer
from typing import TYPE_CHECKING

from tests.whatsapp import wire
from tests.whatsapp.nodes import Jid, Node
from tests.whatsapp.noise import Handshake

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.whatsapp.certificates import NoiseCertificates
    from tests.whatsapp.websocket import WebSocket

SERVER = Jid("@s.whatsapp.net")
"""The address of WhatsApp itself."""

_HEADER_SIZE = 4
_USERNAME, _DEVICE = 1, 18
_FAREWELL = 0.5
"""Seconds in which a client reads why it is hung up on. It does so in two threads: one that hears
the hanging up first reconnects, which happens with WhatsApp, too, but not in a test that repeats
itself."""


class Connection:
    """A client that has shaken hands; `receive` is for one thread, the others are for any."""

    def __init__(
        self, socket: WebSocket, certificates: NoiseCertificates, hang_up: Callable[[], None]
    ) -> None:
        self._socket = socket
        self._hang_up = hang_up
        self._read = b""
        self._sending = Lock()
        handshake = Handshake(certificates, self._take(_HEADER_SIZE))
        self._send_frame(handshake.answer(self._frame()))
        payload, self._reading, self._writing = handshake.finish(self._frame())
        said = wire.Fields.decode(payload)
        number = said.number(_USERNAME)
        self.jid = Jid(f"{number}:{said.number(_DEVICE)}@s.whatsapp.net") if number else None
        """Whose device it says to be; None if it wants to be paired."""

    def receive(self) -> Node:
        """Wait for the next node.

        Raises:
            EOFError: the client has hung up, or we have.
        """
        return Node.decode(self._reading.decrypt(self._frame()))

    def send(self, node: Node) -> None:
        """Send a node; to a client that is gone, nothing."""
        with suppress(OSError), self._sending:
            self._send_frame(self._writing.encrypt(node.encode()))

    def answer(self, request: Node, *content: Node) -> None:
        """Answer an iq with its result."""
        attributes = {"from": SERVER, "type": "result", "id": request.get("id")}
        self.send(Node("iq", attributes, content or None))

    def close(self) -> None:
        """Hang up."""
        self._hang_up()

    def end(self, node: Node) -> None:
        """Send a last node, and hang up when the client has had time to read it."""
        self.send(node)
        timer = Timer(_FAREWELL, self.close)
        timer.daemon = True
        timer.start()

    def _take(self, size: int) -> bytes:
        while len(self._read) < size:
            self._read += self._socket.receive()
        taken, self._read = self._read[:size], self._read[size:]
        return taken

    def _frame(self) -> bytes:
        return self._take(int.from_bytes(self._take(3)))

    def _send_frame(self, frame: bytes) -> None:
        self._socket.send(len(frame).to_bytes(3) + frame)
