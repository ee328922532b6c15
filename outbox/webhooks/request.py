"""One request of a webhook: a POST that is answered in time, or is a failure.

http.client, since it lets the address be judged between the connection and the first byte, follows
no redirect and asks no proxy. Each request has a connection of its own: at the pace of WhatsApp
nothing is gained by keeping one.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from outbox.webhooks.address import is_inside

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE_SECONDS = 15.0
"""From the first packet to the answer's headers; its body is not read."""

_OF_NO_KNOWN_AUTHORITY: Final = (18, 19, 20, 21)
"""https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request came to.

    Attributes:
        status: What the receiver answered; None if nothing.
        error: Why the event has not been delivered; None if it has.
    """

    status: int | None
    error: str | None

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants nothing any more, as Standard Webhooks has it."""
        return self.status == HTTPStatus.GONE


class _InsideError(OSError):
    """The address is inside."""


class _Connection(HTTPConnection):
    """A connection that is judged by whom it has reached, before anything is said."""

    def __init__(self, host: str, port: int, *, tls: bool, inside: bool, patience: float) -> None:
        super().__init__(host, port, timeout=patience)
        self._tls = ssl.create_default_context() if tls else None
        self._inside = inside

    def connect(self) -> None:
        """Connect; raises OSError if who answers is inside and may not be."""
        super().connect()
        address = str(self.sock.getpeername()[0])
        if not self._inside and is_inside(address):
            self.close()
            raise _InsideError(
                f"{self.host} is inside, at {address}: OUTBOX_WEBHOOKS_INSIDE=true allows it"
            )
        if self._tls is not None:
            # At once where `cut` finds it: a handshake is a part of what may take too long.
            tls = self._tls.wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock = tls
            tls.do_handshake()

    def cut(self) -> None:
        """End it from another thread, whatever it waits for."""
        with suppress(OSError, AttributeError):  # it is closed, or not there yet
            self.sock.shutdown(socket.SHUT_RDWR)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    inside: bool,
    patience: float = PATIENCE_SECONDS,
) -> Answer:
    """Send a request; whatever goes wrong is an answer, too.

    Args:
        url: Where to.
        body: What.
        headers: Besides those of HTTP.
        inside: Addresses inside are allowed, and so is http.
        patience: How many seconds it may take.
    """
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    if not tls and not inside:
        return Answer(None, "not https: OUTBOX_WEBHOOKS_INSIDE=true allows it")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _Connection(
        parts.hostname or "",
        parts.port or (443 if tls else 80),
        tls=tls,
        inside=inside,
        patience=patience,
    )
    # A socket's own timeout begins anew with each byte.
    late = threading.Event()

    def give_up() -> None:
        late.set()
        connection.cut()

    timer = threading.Timer(patience, give_up)
    timer.daemon = True
    timer.start()
    try:
        connection.request("POST", path, body, {**headers, "Connection": "close"})
        status = connection.getresponse().status
    except (OSError, HTTPException, ValueError) as error:
        if late.is_set() or isinstance(error, TimeoutError):
            return Answer(None, f"no answer within {patience:g} seconds")
        if isinstance(error, ssl.SSLCertVerificationError):
            return Answer(None, _distrust(error))
        return Answer(None, _said(error))
    finally:
        timer.cancel()
        connection.close()
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Answer(status, None)
    return Answer(status, f"it answered {status}{_meaning(status)}")


def _said(error: Exception) -> str:
    """Return what went wrong, in words without numbers."""
    if isinstance(error, socket.gaierror):
        return f"its host cannot be looked up: {error.strerror}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _distrust(error: ssl.SSLCertVerificationError) -> str:
    said = f"its certificate is not trusted: {error.verify_message}"
    if error.verify_code in _OF_NO_KNOWN_AUTHORITY:
        said += "; for an authority of your own name a file that has it in SSL_CERT_FILE"
    return said


def _meaning(status: int) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        return ""
    followed = "; redirects are not followed" if 300 <= status < 400 else ""  # noqa: PLR2004
    return f" {phrase}{followed}"
