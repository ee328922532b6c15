"""Whether WhatsApp can be reached at all.

A connection does not say whose it is before it has shaken hands, so this goes for all accounts.
"""

import socket
import struct
from contextlib import suppress
from threading import Condition
from typing import Literal


class Gate:
    """Lets connections in, turns them away, or leaves them waiting for ever."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._state: Literal["open", "shut", "black hole"] = "open"
        self._inside: set[socket.socket] = set()
        self._waiting: set[socket.socket] = set()

    def admit(self, connection: socket.socket) -> bool:
        """Return whether this connection may be served; else it is taken care of."""
        with self._changed:
            match self._state:
                case "open":
                    self._inside.add(connection)
                    return True
                case "black hole":
                    self._waiting.add(connection)
                    self._changed.notify_all()
                case "shut":
                    # A reset instead of an orderly end.
                    reset = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                    connection.close()
            return False

    def leave(self, connection: socket.socket) -> None:
        """Close a connection that was admitted."""
        with self._changed:
            self._inside.discard(connection)
        connection.close()

    def shut(self) -> None:
        """Hang up on everybody and turn away who comes."""
        with self._changed:
            self._state = "shut"
            for connection in self._inside:
                hang_up(connection)
            self._release()

    def swallow(self) -> None:
        """Leave who comes waiting; who is inside stays."""
        with self._changed:
            self._state = "black hole"

    def wait_swallowed(self, count: int) -> None:
        """Return as soon as so many connections are waiting for ever.

        Raises:
            TimeoutError: they were not within twenty seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._waiting) >= count, 20):
                raise TimeoutError(f"{len(self._waiting)} of {count} connections came within 20 s")

    def open(self) -> None:
        """Let in who comes; hang up on those that were left waiting."""
        with self._changed:
            self._state = "open"
            self._release()

    def _release(self) -> None:
        while self._waiting:
            self._waiting.pop().close()


def hang_up(connection: socket.socket) -> None:
    """End a connection under the thread that reads from it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
