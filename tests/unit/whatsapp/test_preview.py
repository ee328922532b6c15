"""Previews of links: fetched from public pages only, and never a reason not to send."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from outbox.session.whatsapp.process import preview
from tests.unit.whatsapp import files
from tests.unit.whatsapp.composing import Composer, kind

PAGE = b"""<html><head><title>no</title>
<meta property="og:title" content="Parcels &amp; more">
<meta property="og:description" content="Where they are">
<meta property="og:image" content="/picture.png"></head></html>"""


class Site(BaseHTTPRequestHandler):
    """A site with a page, its picture and some that are not for previews."""

    asked: list[str]

    def do_GET(self) -> None:
        """Answer."""
        self.asked.append(self.path)
        elsewhere = {"/away": "file:///etc/passwd", "/moved": "/page"}.get(self.path)
        if elsewhere:
            self.send_response(302)
            self.send_header("Location", elsewhere)
            self.end_headers()
            return
        body, mime = {
            "/page": (PAGE, "text/html; charset=utf-8"),
            "/untitled": (b"<p>hello", "text/html"),
            "/picture.png": (files.picture(), "image/png"),
            "/large": (b"<title>x</title>" + bytes(2 << 20), "text/html"),
            "/odd": (b"<title>x</title><meta property='og:image' content='http://['>", "text/html"),
        }.get(self.path, (b"", "text/plain"))
        self.send_response(200)
        self.send_header("Content-Type", mime)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """The address of a site on this machine."""
    Site.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's address, but no other, counts as public."""
    monkeypatch.setattr(preview, "_is_public", lambda address: address == "127.0.0.1")


@pytest.mark.usefixtures("public")
def test_link_has_a_preview(composed: Composer, site: str) -> None:
    """The first link's title, description and picture, as small as a thumbnail."""
    text = f"See ({site}/page), or {site}/other."
    message = composed({"kind": "text", "text": text, "link_preview": True})
    extended = message.extendedTextMessage
    assert extended.text == text
    assert extended.matchedText == f"{site}/page"
    assert (extended.title, extended.description) == ("Parcels & more", "Where they are")
    assert files.opened(extended.JPEGThumbnail).size == (100, 67)


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize("path", ["/untitled", "/large", "/text", "/away", ":x"])
def test_page_without_preview(composed: Composer, site: str, path: str) -> None:
    """What has nothing to show is a plain text."""
    content = {"kind": "text", "text": f"See {site}{path}", "link_preview": True}
    assert kind(composed(content)) == "conversation"


@pytest.mark.usefixtures("public")
def test_broken_picture_is_left_out(composed: Composer, site: str) -> None:
    """A title is a preview."""
    content = {"kind": "text", "text": f"{site}/odd", "link_preview": True}
    extended = composed(content).extendedTextMessage
    assert extended.title == "x"
    assert not extended.HasField("JPEGThumbnail")


@pytest.mark.parametrize("link_preview", [None, False])
@pytest.mark.usefixtures("public")
def test_no_preview_unless_asked_for(
    composed: Composer, site: str, *, link_preview: bool | None
) -> None:
    """Nothing is fetched: it takes time, and tells the page who sends what."""
    given = {} if link_preview is None else {"link_preview": link_preview}
    composed({"kind": "text", "text": f"{site}/page", **given})
    assert Site.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_private_pages_are_not_fetched(composed: Composer, site: str, host: str) -> None:
    """Whoever gets the message must not be shown what only this machine may see."""
    link = f"{site.replace('127.0.0.1', host)}/page"
    content = {"kind": "text", "text": link, "link_preview": True}
    assert kind(composed(content)) == "conversation"
    assert Site.asked == []


def test_name_that_changes_its_mind(
    composed: Composer, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was reached counts: a name may be public when asked, and private a moment later."""
    resolve = socket.getaddrinfo
    asked: list[str] = []

    def rebinding(host: str, port: int, *rest: object, **named: object) -> object:
        asked.append(host)
        public = len(asked) % 2 == 1 and not rest and not named
        return resolve("93.184.216.34" if public else "127.0.0.1", port)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    link = f"{site.replace('127.0.0.1', 'rebinding.example')}/page"
    content = {"kind": "text", "text": link, "link_preview": True}
    assert kind(composed(content)) == "conversation"
    assert asked == ["rebinding.example"]
    assert Site.asked == []


@pytest.mark.usefixtures("public")
def test_redirects_are_followed_to_pages_alone(composed: Composer, site: str) -> None:
    """A page may move, but not into the machine's files."""
    moved, away = (
        composed({"kind": "text", "text": f"{site}{path}", "link_preview": True})
        for path in ("/moved", "/away")
    )
    assert moved.extendedTextMessage.title == "Parcels & more"
    assert kind(away) == "conversation"


def test_text_without_link(composed: Composer) -> None:
    """Nothing to fetch."""
    content = {"kind": "text", "text": "ftp://example.org", "link_preview": True}
    assert kind(composed(content)) == "conversation"
