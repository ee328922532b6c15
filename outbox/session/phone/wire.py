"""A session's end of its connection to the phone: a socket that never blocks, in whole lines."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

_CHUNK = 1 << 16


class Wire:
    """One connection, from a socket that is connected or connecting.

    It counts bytes: what was pushed at a position below `written` may have left, what was pushed
    at or above it has not, and never will once the wire is closed.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(0)
        self.socket = sock
        self.pushed = 0
        """Bytes taken so far: the position of what is pushed next."""
        self.written = 0
        """Bytes of these that the operating system has taken."""
        self._out: deque[memoryview] = deque()
        self._rest = b""
        self._broken = False

    @property
    def backlog(self) -> bool:
        """Whether there is something to write that could be written."""
        return bool(self._out) and not self._broken

    def push(self, data: bytes) -> None:
        """Take whole lines, to be written by `flush`."""
        self.pushed += len(data)
        self._out.append(memoryview(data))

    def flush(self) -> None:
        """Write what the operating system takes.

        A peer that has hung up is no error here: what it said before is still to be read, and
        reading tells the rest.
        """
        while self.backlog:
            try:
                sent = self.socket.send(self._out[0])
            except BlockingIOError:
                return
            except OSError:
                self._broken = True
                return
            self.written += sent
            if sent == len(self._out[0]):
                self._out.popleft()
            else:
                self._out[0] = self._out[0][sent:]

    def pull(self) -> list[bytes]:
        """Return the lines that have arrived.

        Raises:
            ConnectionError: nothing more will.
        """
        try:
            data = self.socket.recv(_CHUNK)
        except BlockingIOError:
            return []
        except OSError as error:
            raise ConnectionError(str(error)) from error
        if not data:
            raise ConnectionError("closed by the other side")
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines

    def close(self) -> None:
        """Close the socket; what is not written yet never leaves."""
        self.socket.close()
