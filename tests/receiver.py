"""A receiver of webhooks: an HTTP server on loopback that checks each signature and keeps all."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook


@dataclass
class Receiver:
    """What has been received, and how to answer.

    Attributes:
        secret: What signatures are checked with; None before it is known.
        status: What is answered.
        got: The ids and bodies of what was answered with success, in order.
        asked: How many requests there were.
        at_once: The most that there were at the same time.
        let_go: While it is clear, no request is answered.
        headers: Of the last request.
        port: Where it listens, the same after a restart.
        tls: What it proves itself with; None speaks plain HTTP.
    """

    secret: str | None = None
    status: int = 204
    got: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    at_once: int = 0
    let_go: threading.Event = field(default_factory=threading.Event)
    headers: dict[str, str] = field(default_factory=dict)
    port: int = 0
    tls: ssl.SSLContext | None = None
    _now: int = 0
    _left: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.let_go.set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/hook?shop=1"

    @property
    def ids(self) -> list[str]:
        """The ids of what was answered with success, in order."""
        return [one["id"] for one in self.got]

    def fails_after(self, count: int) -> None:
        """Answer so many more requests with success, and then with 503 until told otherwise."""
        self._left = count

    @contextmanager
    def up(self) -> Iterator["Receiver"]:
        """Listen meanwhile."""
        receiver = self

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True

            def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
                if receiver.tls is None:
                    super().finish_request(request, client_address)
                    return
                # On the request's own thread: a client that breaks off holds up nobody.
                with (
                    suppress(OSError),
                    receiver.tls.wrap_socket(request, server_side=True) as secured,
                ):
                    super().finish_request(secured, client_address)

        server = Server(("127.0.0.1", self.port), self._handler())
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.let_go.set()
            server.shutdown()
            thread.join()
            server.server_close()

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - self is the handler's
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                with receiver._lock:
                    receiver.asked += 1
                    receiver._now += 1
                    receiver.at_once = max(receiver.at_once, receiver._now)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.let_go.wait()
                status = receiver._take(body, {k.lower(): v for k, v in self.headers.items()})
                with receiver._lock:
                    receiver._now -= 1
                self.send_response(status)
                self.send_header("Location", f"{receiver.url}&moved")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                """Keep silent."""

        return Handler

    def _take(self, body: bytes, headers: dict[str, str]) -> int:
        self.headers = headers
        if self.secret is None:
            return 500
        Webhook(self.secret).verify(body, headers)  # a request that is not valid is not answered
        event = json.loads(body)
        if headers["webhook-id"] != event["id"]:
            return 400
        if self._left is not None:
            if not self._left:
                self.status, self._left = 503, None
            else:
                self._left -= 1
        if self.status < 300:
            with self._lock:
                self.got.append(event)
        return self.status
