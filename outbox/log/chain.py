"""The chain of seals: how the digests of events become one that stands for all of them.

An event's digest is SHA-256 over its line (the SQL function `outbox.event_line`). A seal's digest
is SHA-256 over the digest of the seal before it, a line about itself and the digests of its events
in the order of positions, so nothing under a seal can be changed, added or taken away without
changing the digests of all later seals. Anybody can recompute it from `outbox.event`, or from the
lines of an archive, with no more than SHA-256.
"""

from __future__ import annotations

import hashlib
from datetime import UTC
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from psycopg.types.multirange import Int8Multirange

MARK = 8
"""How many bytes of an event's digest a seal keeps, to name the event that has been changed.

The seal's own digest is over the whole of them, so nothing is proved by these.
"""

BEGINNING = bytes(32)
"""What stands for the digest before the first seal."""


class Block(NamedTuple):
    """Digests of events that are read together.

    Attributes:
        positions: Of the events, in order.
        digests: Of each.
        through: All that lies up to this position has been read.
    """

    positions: Sequence[int]
    digests: Sequence[bytes]
    through: int


class Seal(NamedTuple):
    """A row of `outbox.seal`."""

    number: int
    epoch: int
    sealed_at: datetime
    positions: Int8Multirange
    events: int
    marks: bytes
    digest: bytes

    def __str__(self) -> str:
        """Return what a witness keeps: `17:9f86d081…`."""
        return f"{self.number}:{self.digest.hex()}"

    @property
    def each_position(self) -> list[int]:
        """The positions of its events, in order."""
        pieces = (range(piece.lower or 0, piece.upper or 0) for piece in self.positions)
        return [*chain.from_iterable(pieces)]

    def mark(self, nth: int) -> bytes:
        """Return the mark of its nth event, from 0 on."""
        return self.marks[MARK * nth : MARK * (nth + 1)]

    @property
    def is_whole(self) -> bool:
        """Whether it has as many marks and positions as it says that it has events."""
        positions = sum((piece.upper or 0) - (piece.lower or 0) for piece in self.positions)
        return positions == self.events and len(self.marks) == MARK * self.events


def link(
    previous: bytes, number: int, epoch: int, sealed_at: datetime, digests: Iterable[bytes]
) -> bytes:
    """Return the digest of a seal.

    Args:
        previous: The digest of the seal before it, or `BEGINNING`.
        number: Its own number.
        epoch: The restore epoch in which it was made.
        sealed_at: When.
        digests: Of its events, in the order of positions.
    """
    at = sealed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    digest = hashlib.sha256(previous)
    digest.update(f"{number} {epoch} {at}\n".encode())
    digest.update(b"".join(digests))
    return digest.digest()
