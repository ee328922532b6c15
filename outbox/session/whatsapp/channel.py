"""How a session and its process talk: frames over a socket, a JSON object or raw bytes each.

Whoever writes holds a lock for the frame, so any thread may. Nothing is buffered on our side: what
`tell` has returned from survives the death of the process that said it.
"""

from __future__ import annotations

import json
import socket
import threading
from multiprocessing.connection import Connection
from typing import Any

Said = dict[str, Any]


class Channel:
    """One end.

    Args:
        handle: Of a connected socket, which the channel then owns.
    """

    def __init__(self, handle: int) -> None:
        self._connection = Connection(handle)
        self._writing = threading.Lock()

    @property
    def writing(self) -> threading.Lock:
        """Held by who writes several frames that belong together."""
        return self._writing

    def tell(self, said: Said) -> None:
        """Write an object.

        Raises:
            OSError: The other side is gone.
        """
        with self._writing:
            self.put(json.dumps(said).encode())

    def put(self, data: bytes) -> None:
        """Write raw bytes, with `writing` held.

        Raises:
            OSError: The other side is gone.
        """
        self._connection.send_bytes(data)

    def hear(self, within: float | None = None) -> Said | None:
        """Return the next object, or None if there was none within so many seconds.

        Raises:
            EOFError: The other side is gone.
            OSError: The same.
        """
        if within is not None and not self._connection.poll(within):
            return None
        said: Said = json.loads(self._connection.recv_bytes())
        return said

    def take(self) -> bytes:
        """Return the next raw bytes.

        Raises:
            EOFError: The other side is gone.
        """
        return self._connection.recv_bytes()

    def close(self) -> None:
        """Close this end."""
        self._connection.close()


def pair() -> tuple[Channel, int]:
    """Return a channel, and the handle of its other end for a process to inherit."""
    ours, theirs = socket.socketpair()
    return Channel(ours.detach()), theirs.detach()
