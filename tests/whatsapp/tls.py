"""TLS on a socket that one thread reads while others write.

Python's own wrapping promises nothing for that; here the socket is read outside of the lock that
the two directions share.
"""

import socket
import ssl
from threading import Lock


class Tls:
    """The server's side of an encrypted connection; made once the handshake is done."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        self._socket = connection
        self._lock = Lock()
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while not self._is_agreed():
            self._feed()

    def recv(self, size: int) -> bytes:
        """Wait for bytes; there are none when the other side has hung up."""
        while True:
            with self._lock:
                try:
                    return self._tls.read(size)
                except ssl.SSLWantReadError:
                    pass
                except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                    return b""
            self._feed()

    def sendall(self, data: bytes) -> None:
        """Send all of this."""
        with self._lock:
            self._tls.write(data)
            self._socket.sendall(self._outgoing.read())

    def _is_agreed(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            self._socket.sendall(self._outgoing.read())
        return True

    def _feed(self) -> None:
        received = self._socket.recv(65_536)
        if received:
            self._incoming.write(received)
        else:
            self._incoming.write_eof()
