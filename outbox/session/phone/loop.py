"""The thread of a session: it does what it is told and watches one socket, one thing at a time."""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


class Work(Protocol):
    """What the thread works for. It is called by the thread only."""

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""

    def patience(self) -> float | None:
        """Return the seconds until `tick` has something to do; None: it has nothing."""

    def serve(self, *, readable: bool, writable: bool) -> None:
        """Use the socket that is watched."""

    def tick(self, now: float) -> None:
        """Do what is due at this moment of the monotonic clock."""

    def fail(self, error: Exception) -> None:
        """Give up on what was being done, which an error that nobody foresaw has broken off."""


class Loop:
    """Commands, a socket, and the clock."""

    def __init__(self) -> None:
        self._commands: deque[Callable[[], None]] = deque()
        self._ear, self._mouth = socket.socketpair()
        for end in (self._ear, self._mouth):
            end.settimeout(0)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._ear, selectors.EVENT_READ)

    def tell(self, command: Callable[[], None]) -> None:
        """Let the thread do this, after what it was told before. Anybody may call it."""
        self._commands.append(command)
        # When the pair is full, the thread has been woken already and has not looked yet.
        with contextlib.suppress(BlockingIOError):
            self._mouth.send(b"!")

    def watch(self, sock: socket.socket, *, writing: bool) -> None:
        """Watch this socket, also for room to write if there is something to write."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
        key = self._selector.get_map().get(sock)
        if key is None:
            self._selector.register(sock, events)
        elif key.events != events:
            self._selector.modify(sock, events)

    def forget(self, sock: socket.socket) -> None:
        """Watch this socket no more."""
        with contextlib.suppress(KeyError):
            self._selector.unregister(sock)

    def run(self, work: Work) -> None:
        """Work until it is over."""
        while not work.over:
            ready = self._selector.select(0 if self._commands else work.patience())
            # Whatever had arrived by now is served before the clock is asked, so a thread
            # that an owner has held up takes nobody for dead who did answer.
            now = time.monotonic()
            try:
                self._step(work, ready, now)
            except Exception as error:
                log.exception("a session's thread failed")
                work.fail(error)

    def close(self) -> None:
        """Close what the loop has open, after `run` has returned and nobody tells it anything.

        `run` must not do that itself: whoever told it the last command may not be back yet.
        """
        self._selector.close()
        self._ear.close()
        self._mouth.close()

    def _step(self, work: Work, ready: list[tuple[selectors.SelectorKey, int]], now: float) -> None:
        for key, mask in ready:
            if key.fileobj is self._ear:
                self._ear.recv(4096)
            else:
                work.serve(
                    readable=bool(mask & selectors.EVENT_READ),
                    writable=bool(mask & selectors.EVENT_WRITE),
                )
        while self._commands:
            self._commands.popleft()()
        work.tick(now)
