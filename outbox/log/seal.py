"""Seals: what has come since the last one, under one digest that nobody can make fit afterwards.

Invariants:

1. Every event comes under one seal: a seal is one read of a follower, which misses none and repeats
   none, and what it covers commits with the follower's cursor.
2. An event comes under a seal once nothing can be appended before it any more in its transaction: a
   transaction that is left open delays the sealing of its own events and of no others.
3. Seals are chained in the order of their numbers (`outbox.log.chain`); the cursor's row is held
   while one is made, so two workers do not make the same one.
"""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING

from psycopg.types.multirange import Int8Multirange
from psycopg.types.range import Int8Range

from outbox.log.chain import BEGINNING, MARK, Block, Seal, link
from outbox.log.follow import Follower

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from outbox.log.database import Connection

CONSUMER = "seals"
"""The follower that makes them."""

_MOST = 5_000
"""Events under one seal: a few tenths of a second's work."""
_SPAN = 50_000
"""Positions whose digests are read at a time: two megabytes."""


def seal(connection: Connection) -> Iterator[Seal]:
    """Seal what has come since the last seal, and yield each seal when it is committed.

    Args:
        connection: To the primary; in no transaction.
    """
    follower = Follower(connection, CONSUMER, back=None)
    while True:
        with follower.read(_MOST) as events:
            made = _append(connection, sorted({event.position for event in events}))
        if made is None:
            return
        yield made


def is_empty(connection: Connection) -> bool:
    """Return whether the log has nothing that could be sealed."""
    return connection.execute("select 1 from outbox.event limit 1").fetchone() is None


def blocks(connection: Connection, after: int, through: int, span: int = _SPAN) -> Iterator[Block]:
    """Yield the digests of the events that the log holds in a range of positions.

    Args:
        connection: Where the log is.
        after: The range begins behind this position.
        through: And ends with this one.
        span: How many positions are looked at at a time.
    """
    while after < through:
        last = min(after + span, through)
        row = connection.execute(
            "select positions, digests from outbox.event_digests(%s, %s)", (after, last)
        ).fetchone()
        packed, found = row or (b"", b"")
        positions = array("q", packed)
        if sys.byteorder == "little":
            positions.byteswap()
        yield Block(positions, [found[at : at + 32] for at in range(0, len(found), 32)], last)
        after = last


def _append(connection: Connection, positions: Sequence[int]) -> Seal | None:
    if not positions:
        return None
    found = _digests_of(connection, positions)
    number, epoch, sealed_at, previous = connection.execute(_NEXT).fetchone() or ()
    made = Seal(
        number,
        epoch,
        sealed_at,
        Int8Multirange(_runs(positions)),
        len(positions),
        b"".join(one[:MARK] for one in found),
        link(previous or BEGINNING, number, epoch, sealed_at, found),
    )
    connection.execute(_INSERT, made)
    return made


def _digests_of(connection: Connection, positions: Sequence[int]) -> list[bytes]:
    """Return the digests of these events, of which many may lie far from the others."""
    found: dict[int, bytes] = {}
    begin = 0
    for end in range(1, len(positions) + 1):
        if end == len(positions) or positions[end] - positions[begin] >= _SPAN:
            wanted = set(positions[begin:end])
            for block in blocks(connection, positions[begin] - 1, positions[end - 1]):
                for position, digest in zip(block.positions, block.digests, strict=True):
                    if position in wanted:
                        found.setdefault(position, digest)
            begin = end
    return [found[position] for position in positions]


def _runs(positions: Sequence[int]) -> Iterator[Int8Range]:
    """Yield the ranges of positions without a gap."""
    begin = 0
    for end in range(1, len(positions) + 1):
        if end == len(positions) or positions[end] != positions[end - 1] + 1:
            yield Int8Range(positions[begin], positions[end - 1] + 1)
            begin = end


_NEXT = """
    select coalesce(s.number, 0) + 1, r.epoch, clock_timestamp(), s.digest
    from (select max(epoch) as epoch from outbox.restore_epoch) r
    left join (select number, digest from outbox.seal order by number desc limit 1) s on true
"""
_INSERT = """
    insert into outbox.seal (number, epoch, sealed_at, positions, events, marks, digest)
    values (%s, %s, %s, %s, %s, %s, %s)
"""
