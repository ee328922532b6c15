"""Where webhooks may point: outside, unless a setting allows more.

Whoever makes a webhook must not learn through it what the outbox's own network keeps to itself. So
an address is judged twice: when the webhook is made, as a courtesy, and by whom a connection has
reached, since a name may stand for another address the next time it is asked.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

from outbox.errors import refusal

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_ALLOW: Final = "OUTBOX_WEBHOOKS_INSIDE=true allows it."


def judge(url: str, *, inside: bool) -> None:
    """See whether a webhook may point to a URL.

    A name that cannot be looked up now passes: its connection is judged as every other.

    Args:
        url: The URL.
        inside: Addresses inside are allowed, and so is http.

    Raises:
        InvalidWebhook: It may not.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise refusal("bad_webhook_url", f"{url}: {error}") from None
    if parts.username is not None or parts.password is not None:
        more = "The receiver verifies the signature: a password says no more."
        raise refusal("bad_webhook_url", f"{parts.scheme}://…@{host} carries a password", more)
    if parts.scheme not in {"http", "https"} or not host:
        raise refusal("bad_webhook_url", url)
    if not url.isascii() or not url.isprintable() or " " in url:
        raise refusal("bad_webhook_url", url, "Write all but ASCII in percent signs.")
    if inside:
        return
    if parts.scheme != "https":
        raise refusal("bad_webhook_url", f"{url} is not https", _ALLOW)
    try:
        found = socket.getaddrinfo(host, port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    for entry in found:
        address = str(entry[4][0])
        if is_inside(address):
            raise refusal("bad_webhook_url", f"{host} is inside, at {address}", _ALLOW)


def is_inside(address: str) -> bool:
    """Return whether an IP address is not a public host's, however it is wrapped."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        embedded = found.ipv4_mapped or found.sixtofour
        if embedded is None and found in _NAT64:
            embedded = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if embedded is not None:
            found = embedded
    return not found.is_global or found.is_multicast
