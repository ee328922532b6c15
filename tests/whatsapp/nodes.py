"""WhatsApp's binary XML: what every frame carries after the handshake.

A node is a list: its tag, its attributes' names and values, and its content, if it has any. Words
of the dictionaries may be written as one or two bytes, numbers and hexadecimals two characters a
byte; we read all of these and write none.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.whatsapp.tokens import DOUBLE, SINGLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_EMPTY = 0
_DICTIONARIES = range(236, 240)
_AD_JID, _LIST_8, _LIST_16, _JID_PAIR = 247, 248, 249, 250
_BINARY_8, _BINARY_20, _BINARY_32 = 252, 253, 254
_SIZES = {_BINARY_8: 1, _BINARY_20: 3, _BINARY_32: 4}
"""In how many bytes the size of what follows is written."""
_ALPHABETS = {251: "0123456789ABCDEF", 255: "0123456789-.\0\0\0\0"}
"""What half a byte stands for."""
_SERVERS = {0: "s.whatsapp.net", 1: "lid"}
"""What a JID with a device has instead of its server."""


class Jid(str):
    """An address, `user@server` or `user:device@server`, which has an encoding of its own."""

    __slots__ = ()

    @property
    def user(self) -> str:
        """The part before the server, without the device."""
        return self.rpartition("@")[0].partition(":")[0]

    @property
    def device(self) -> int:
        """The number of a linked device, 0 for the phone itself."""
        return int(self.rpartition("@")[0].partition(":")[2] or 0)

    @property
    def server(self) -> str:
        """The part after the @."""
        return self.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Node:
    """An element with attributes, and with children, bytes or nothing in it."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    content: Sequence[Node] | bytes | None = None

    @property
    def children(self) -> Sequence[Node]:
        """The elements in it, none if it holds bytes or nothing."""
        return () if self.content is None or isinstance(self.content, bytes) else self.content

    @property
    def data(self) -> bytes:
        """The bytes in it, none if it holds elements or nothing."""
        return self.content if isinstance(self.content, bytes) else b""

    def find(self, *path: str) -> Node | None:
        """Return the first element under these tags, one below the other."""
        if not path:
            return self
        below = (child.find(*path[1:]) for child in self.children if child.tag == path[0])
        return next((found for found in below if found), None)

    def get(self, name: str) -> str:
        """Return an attribute's value, empty where it is missing."""
        return self.attributes.get(name, "")

    def encode(self) -> bytes:
        """Return it as a frame's payload, uncompressed."""
        return b"\0" + b"".join(_write(self))

    @classmethod
    def decode(cls, payload: bytes) -> Node:
        """Read a frame's payload."""
        body = zlib.decompress(payload[1:]) if payload[0] & 2 else payload[1:]
        return _Reader(body).node()


def _write(node: Node) -> Iterator[bytes]:
    yield _list(1 + 2 * len(node.attributes) + (node.content is not None))
    yield _string(node.tag)
    for name, value in node.attributes.items():
        yield _string(name)
        yield _jid(value) if isinstance(value, Jid) else _string(value)
    if isinstance(node.content, bytes):
        yield _bytes(node.content)
    elif node.content is not None:
        yield _list(len(node.content))
        for child in node.content:
            yield from _write(child)


def _list(size: int) -> bytes:
    if size == 0:
        return bytes([_EMPTY])
    return bytes([_LIST_8, size]) if size < 256 else bytes([_LIST_16]) + size.to_bytes(2)


def _bytes(data: bytes) -> bytes:
    if len(data) < 256:
        return bytes([_BINARY_8, len(data)]) + data
    return bytes([_BINARY_32]) + len(data).to_bytes(4) + data


def _string(text: str) -> bytes:
    return _bytes(text.encode())


def _jid(jid: Jid) -> bytes:
    for domain, server in _SERVERS.items():
        if jid.device and jid.server == server:
            return bytes([_AD_JID, domain, jid.device]) + _string(jid.user)
    user = _string(jid.user) if jid.user else bytes([_EMPTY])
    return bytes([_JID_PAIR]) + user + _string(jid.server)


class _Reader:
    """Reads one payload from its beginning to its end."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._at = 0

    def _take(self, size: int) -> bytes:
        self._at += size
        if self._at > len(self._payload):
            raise ValueError(f"the frame ends within a value: {self._payload.hex()}")
        return self._payload[self._at - size : self._at]

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size))

    def _size(self, kind: int) -> int:
        if kind == _EMPTY:
            return 0
        return self._number({_LIST_8: 1, _LIST_16: 2}[kind])

    def node(self) -> Node:
        size = self._size(self._number(1))
        tag = self._text()
        attributes = {self._text(): self._text() for _ in range((size - 1) // 2)}
        return Node(tag, attributes, self._content() if size % 2 == 0 else None)

    def _content(self) -> Sequence[Node] | bytes | None:
        kind = self._number(1)
        if kind == _EMPTY:
            return None
        if kind in {_LIST_8, _LIST_16}:
            return [self.node() for _ in range(self._size(kind))]
        value = self._value(kind)
        return value if isinstance(value, bytes) else value.encode()

    def _text(self) -> str:
        value = self._value(self._number(1))
        return value.decode() if isinstance(value, bytes) else value

    def _value(self, kind: int) -> str | bytes:
        if kind in _SIZES:
            return self._take(self._number(_SIZES[kind]))
        if kind in {_JID_PAIR, _AD_JID}:
            return self._jid(kind)
        if kind in _ALPHABETS:
            return self._packed(_ALPHABETS[kind])
        if kind in _DICTIONARIES:
            dictionary, index = kind - _DICTIONARIES.start, self._number(1)
            return DOUBLE[dictionary].get(index, f"<word {index} of dictionary {dictionary}>")
        return SINGLE[kind]

    def _jid(self, kind: int) -> Jid:
        if kind == _JID_PAIR:
            return Jid(f"{self._text()}@{self._text()}")
        domain, device = self._take(2)
        named = f":{device}" if device else ""
        return Jid(f"{self._text()}{named}@{_SERVERS.get(domain, f'domain {domain}')}")

    def _packed(self, alphabet: str) -> str:
        size = self._number(1)
        pairs = self._take(size & 0x7F)
        text = "".join(alphabet[pair >> 4] + alphabet[pair & 15] for pair in pairs)
        return text[:-1] if size & 0x80 else text
