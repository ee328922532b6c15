"""WhatsApp, as far as its own library can tell: a server on this machine that tests command.

The client is told to reach everything through a proxy, which is this server; what it wants to
connect to, this server is itself. `trust` makes the client believe it.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING

from tests.whatsapp.account import Account
from tests.whatsapp.certificates import NoiseCertificates, write_tls
from tests.whatsapp.connection import Connection
from tests.whatsapp.gate import Gate, hang_up
from tests.whatsapp.nodes import Jid
from tests.whatsapp.pairing import Phone
from tests.whatsapp.tls import Tls
from tests.whatsapp.uploads import Uploads
from tests.whatsapp.websocket import WebSocket, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHAT_PATH = "/ws/chat"


class WhatsApp:
    """The server with its accounts; `start` makes one."""

    def __init__(self, folder: Path) -> None:
        authority, key = folder / "ca.pem", folder / "key.pem"
        write_tls(authority, key)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(authority, key)
        self._authority = authority
        self._certificates = NoiseCertificates()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = Lock()
        self._accounts: dict[str, Account] = {}
        self._gate = Gate()
        self._uploads = Uploads()
        self._failures: list[Exception] = []
        self.phone = Phone()
        """Links devices: the primary device of every account."""

    @classmethod
    @contextmanager
    def start(cls, folder: Path) -> Iterator[WhatsApp]:
        """Run the server, with its certificates in this folder.

        Raises:
            ExceptionGroup: the server itself has failed, when it stops.
        """
        server = cls(folder)
        Thread(target=server._accept, name="whatsapp", daemon=True).start()
        try:
            yield server
        finally:
            hang_up(server._listener)
            server._listener.close()
            server._gate.shut()
        if server._failures:
            raise ExceptionGroup("WhatsApp's stand-in has failed", server._failures)

    @property
    def environment(self) -> dict[str, str]:
        """What the client's process is to find in its environment when it starts."""
        return {
            "SSL_CERT_FILE": str(self._authority),
            "OUTBOX_TEST_WHATSAPP_PROXY": f"http://127.0.0.1:{self._listener.getsockname()[1]}",
            "OUTBOX_TEST_WHATSAPP_ROOT": self._certificates.root.hex(),
        }

    def account(self, jid: str) -> Account:
        """Return the account of this number, whichever of its devices is named."""
        number = Jid(jid).user
        with self._lock:
            return self._accounts.setdefault(number, Account(number, self._gate))

    def uploads(self) -> list[bytes]:
        """Return the media that were uploaded so far, encrypted."""
        return self._uploads.taken()

    def refuse_uploads(self, status: str | None = "500 Internal Server Error") -> None:
        """Answer uploads with this HTTP status and do not take them; None to take them again."""
        self._uploads.refuse(status)

    def _accept(self) -> None:
        with suppress(OSError):  # The listener was closed.
            while True:
                connection, _ = self._listener.accept()
                if self._gate.admit(connection):
                    Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._proxy(connection)
        except (EOFError, OSError):
            pass  # The client has hung up, or we have.
        except Exception as error:  # noqa: BLE001 - raised when the server stops
            self._failures.append(error)
        finally:
            self._gate.leave(connection)

    def _proxy(self, connection: socket.socket) -> None:
        asked = Wire(connection).head()
        if asked.method != "CONNECT":
            raise ValueError(f"a client asks the proxy for {asked.method} {asked.target}")
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        wire = Wire(Tls(connection, self._tls))
        head = wire.head()
        if head.target == _CHAT_PATH:
            self._chat(connection, WebSocket(wire, head))
        else:
            self._uploads.serve(wire, head)

    def _chat(self, connection: socket.socket, websocket: WebSocket) -> None:
        client = Connection(websocket, self._certificates, lambda: hang_up(connection))
        if client.jid is None:
            self.phone.serve(client)
        else:
            self.account(client.jid).serve(client, client.jid)
