"""A bell that wakes a thread which waits for the database at the same time."""

from __future__ import annotations

import select
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Alarm:
    """Rung from any thread; waited for, together with sockets, by one.

    The waiter looks for what it was rung for after each wait, so that a ring while it is awake
    need not be heard, and costs nothing.
    """

    def __init__(self) -> None:
        self._bell, self._ear = socket.socketpair()
        self._bell.settimeout(0)
        self._ear.settimeout(0)
        self._rung = False

    def ring(self) -> None:
        """Wake the waiter, or keep it from falling asleep."""
        if not self._rung:
            self._rung = True
            with suppress(OSError):  # rung often enough already, or closed: nobody waits any more
                self._bell.send(b"!")

    def wait(self, sockets: Sequence[int], seconds: float) -> None:
        """Return when it has rung, when one of the sockets can be read, or after so long."""
        readable, _, _ = select.select([self._ear.fileno(), *sockets], [], [], max(seconds, 0))
        if self._ear.fileno() in readable:
            with suppress(BlockingIOError):
                self._ear.recv(4096)
        self._rung = False

    def close(self) -> None:
        """Give the sockets back."""
        self._bell.close()
        self._ear.close()
