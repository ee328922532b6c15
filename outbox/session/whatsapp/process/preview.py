"""The preview of a text's first link: its title, its description and a small picture.

It is a courtesy, so whatever goes wrong means none. neonize's own preview is not used: it waits for
a server without end, and puts the page's picture into the message as large as it is.

Pages are fetched from public addresses only. The text may be somebody else's, and whoever gets the
message must not be shown what the outbox's own network keeps to itself.
"""

from __future__ import annotations

import ipaddress
import re
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    Request,
    UnknownHandler,
)

from linkpreview import Link, LinkPreview  # type: ignore[import-untyped]

from outbox.session.whatsapp.process.pictures import picture
from outbox.session.whatsapp.process.unsendable import Unsendable

if TYPE_CHECKING:
    import socket
    from http.client import HTTPResponse

_LINK = re.compile(r"https?://\S+")
_NOT_OF_LINKS = ".,;:!?)]}>'\"*_~"
"""What ends a sentence rather than a link."""
_PATIENCE = 5.0
"""Seconds for a page, and again for its picture."""
_PAGE = 1 << 20
_PICTURE = 4 << 20
"""Bytes that are read at most."""
_CHUNK = 64 << 10
_TITLE = 255
_DESCRIPTION = 1024
"""Characters that are shown at most."""
_AGENT = "WhatsApp/2"
"""Pages give their preview to whom they know to make one."""


class Preview(NamedTuple):
    """What is shown of a link."""

    link: str
    title: str
    description: str
    thumbnail: bytes | None


def preview(text: str) -> Preview | None:
    """Return the preview of the first link, or None if there is no link or nothing to show."""
    found = _LINK.search(text)
    if found is None:
        return None
    link = found[0].rstrip(_NOT_OF_LINKS)
    try:
        page = LinkPreview(Link(link, _fetched(link, _PAGE, "text/html")), parser="html.parser")
        title, description, image = page.title, page.description, page.absolute_image
    except Exception:  # noqa: BLE001 - whatever a page does to its parser, the text can be sent
        return None
    if not title:
        return None
    thumbnail = _thumbnail(image) if image else None
    return Preview(link, str(title)[:_TITLE], str(description or "")[:_DESCRIPTION], thumbnail)


def _thumbnail(link: str) -> bytes | None:
    try:
        return picture(_fetched(link, _PICTURE, "image/")).thumbnail
    except (OSError, ValueError, HTTPException, Unsendable):
        return None


class _Http(HTTPConnection):
    """A connection to a public address, or none: judged by whom it has reached.

    A name says nothing of that, as it may stand for another address the next time it is asked.
    """

    def connect(self) -> None:
        """Connect.

        Raises:
            OSError: Who answers is not public.
        """
        super().connect()
        _check(self.sock)


class _Https(HTTPSConnection):
    """The same with TLS."""

    def connect(self) -> None:
        """Connect; raises as above."""
        super().connect()
        _check(self.sock)


class _HttpHandler(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_Http, req)


class _HttpsHandler(HTTPSHandler):
    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_Https, req)


class _Redirects(HTTPRedirectHandler):
    max_redirections = 5


def _opener() -> OpenerDirector:
    """Return what opens pages, and nothing else: no files, and no proxy on whose word to rely."""
    opener = OpenerDirector()
    for handler in (
        _HttpHandler(),
        _HttpsHandler(),
        _Redirects(),
        HTTPErrorProcessor(),
        HTTPDefaultErrorHandler(),
        UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _fetched(link: str, limit: int, mime: str) -> bytes:
    """Return the bytes behind a link.

    Raises:
        OSError: It cannot be had in time.
        ValueError: It is not public, not of this type, or too large.
    """
    end = time.monotonic() + _PATIENCE
    request = Request(link, headers={"User-Agent": _AGENT, "Accept": f"{mime.rstrip('/')}, */*"})  # noqa: S310 - checked
    with _opener().open(request, timeout=_PATIENCE) as response:
        if not response.headers.get_content_type().startswith(mime):
            raise ValueError(f"{link} is no {mime}")
        data = bytearray()
        while chunk := response.read1(_CHUNK):
            data += chunk
            if len(data) > limit or time.monotonic() > end:
                raise ValueError(f"{link} is too large or too slow")
    return bytes(data)


def _check(reached: socket.socket) -> None:
    address = str(reached.getpeername()[0])
    if not _is_public(address):
        reached.close()
        raise OSError(f"{address} is not public")


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_global
