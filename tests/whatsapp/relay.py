"""A server on this machine that listens on a Unix socket, reached over TCP."""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def relay(path: str, host: str) -> Iterator[int]:
    """Listen on a host's address, hand each connection on to a Unix socket, and yield the port.

    Raises:
        OSError: This machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        accepting = Thread(target=_accept, args=(listener, path), daemon=True)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(listener: socket.socket, path: str) -> None:
    with suppress(OSError):  # it was shut down
        while True:
            client, _ = listener.accept()
            Thread(target=_serve, args=(client, path), daemon=True).start()


def _serve(client: socket.socket, path: str) -> None:
    with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
        server.connect(path)
        there = Thread(target=_hand_on, args=(client, server), daemon=True)
        there.start()
        _hand_on(server, client)
        there.join()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
