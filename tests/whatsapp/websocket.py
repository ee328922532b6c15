"""The server's side of HTTP and of a websocket, as far as one well-known client needs it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Protocol

_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_BINARY, _CLOSE, _PING, _PONG = 2, 8, 9, 10


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an HTTP request."""

    method: str
    target: str
    headers: dict[str, str]
    """By their names in lower case."""


class Stream(Protocol):
    """What a socket has, and TLS on top of one."""

    def recv(self, size: int, /) -> bytes:
        """Wait for bytes; there are none when the other side has hung up."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of this."""


class Wire:
    """A stream that is read in the sizes that a protocol asks for."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._read = bytearray()

    def take(self, size: int) -> bytes:
        """Wait for so many bytes.

        Raises:
            EOFError: the other side has hung up.
        """
        while len(self._read) < size:
            self._more()
        taken = bytes(self._read[:size])
        del self._read[:size]
        return taken

    def head(self) -> Head:
        """Wait for the head of a request."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        head = self.take(self._read.index(b"\r\n\r\n") + 4)
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        return Head(method, target, {name.lower(): value.strip() for name, _, value in pairs})

    def write(self, data: bytes) -> None:
        """Send all of this."""
        self._stream.sendall(data)

    def answer(self, status: str, body: bytes = b"", **headers: str) -> None:
        """Answer a request; an underscore in a header's name stands for a hyphen."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.write("\r\n".join([*lines, "", ""]).encode() + body)

    def _more(self) -> None:
        received = self._stream.recv(65_536)
        if not received:
            raise EOFError
        self._read += received


class WebSocket:
    """Messages over an upgraded connection; writing is the caller's to serialise."""

    def __init__(self, wire: Wire, head: Head) -> None:
        """Accept the upgrade that the request's head asks for."""
        self._wire = wire
        key = head.headers["sec-websocket-key"].encode()
        accept = base64.b64encode(hashlib.sha1(key + _ACCEPT).digest()).decode()  # noqa: S324 - RFC 6455
        upgrade = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        wire.write("\r\n".join([*upgrade, f"Sec-WebSocket-Accept: {accept}", "", ""]).encode())

    def receive(self) -> bytes:
        """Wait for the next message.

        Raises:
            EOFError: the client has closed the connection.
        """
        while True:
            first, second = self._wire.take(2)
            size = second & 0x7F
            if size == 126:
                size = int.from_bytes(self._wire.take(2))
            elif size == 127:
                size = int.from_bytes(self._wire.take(8))
            message = _unmask(self._wire.take(4), self._wire.take(size))
            match first & 0x0F:
                case 8:
                    self._send(_CLOSE, message)
                    raise EOFError
                case 9:
                    self._send(_PONG, message)
                case _:
                    return message

    def send(self, message: bytes) -> None:
        """Send a message."""
        self._send(_BINARY, message)

    def _send(self, kind: int, message: bytes) -> None:
        size = len(message)
        if size < 126:
            head = bytes([0x80 | kind, size])
        elif size < 2**16:
            head = bytes([0x80 | kind, 126]) + size.to_bytes(2)
        else:
            head = bytes([0x80 | kind, 127]) + size.to_bytes(8)
        self._wire.write(head + message)


def _unmask(mask: bytes, message: bytes) -> bytes:
    size = len(message)
    whole = int.from_bytes((mask * (size // 4 + 1))[:size])
    return (int.from_bytes(message) ^ whole).to_bytes(size)
