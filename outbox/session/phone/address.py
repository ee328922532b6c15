"""Where a phone listens: a TCP port, or a unix socket."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Address:
    """`host` and `port`, or `path` alone."""

    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `HOST:PORT` or `unix:/path`.

        Raises:
            ValueError: it is neither.
        """
        if text.startswith("unix:/"):
            return cls(path=text.removeprefix("unix:"))
        host, colon, port = text.rpartition(":")
        if not colon or not host or not port.isdecimal():
            raise ValueError(f"{text!r} is neither HOST:PORT nor unix:/path")
        return cls(host=host.strip("[]"), port=int(port))

    def __str__(self) -> str:
        """Return what `parse` reads."""
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL that opens a simulated session with the phone that listens here."""
        return f"simulated://{self.path or self}"

    def socket(self) -> socket.socket:
        """Return a new socket, not yet connected, of the family that `target` asks for."""
        if self.path:
            return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    @property
    def target(self) -> str | tuple[str, int]:
        """What `connect` of that socket takes."""
        return self.path or (self.host, self.port)
