"""Verification: whether the log is what its seals say, and if not, which events are concerned.

What it can prove: nobody has changed, added or removed an event under a seal since somebody else
took note of that seal's digest, or of a later one's. Whoever may write to the database as its owner
could make the whole chain anew; a digest that was noted elsewhere, such as in a log drain, shows
that too.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from outbox.log.chain import BEGINNING, MARK, Block, Seal, link
from outbox.log.database import query
from outbox.log.months import archives
from outbox.log.replay import last_position, one_snapshot
from outbox.log.seal import CONSUMER, blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from outbox.log.database import Connection
    from outbox.log.months import Archive

_LEAST, _MOST = -(2**63), 2**63 - 1
_NO_MORE = Block((), (), _MOST)
_DETAILS = 1000
"""Events that are looked up at a time, to be named."""

Kind = Literal["changed", "removed", "added", "seal_changed", "seal_missing", "not_witnessed"]


class Finding(NamedTuple):
    """Something that is not as it was when it was sealed.

    Attributes:
        kind: An event under a seal is `changed` or `removed`, or one is `added` that is under none
            and ought to be; a seal is changed (`seal_changed`) or missing (`seal_missing`); a seal
            has another digest than a witness noted, or is not there (`not_witnessed`).
        seal: The number of the seal, of an added event None.
        position: Of the event.
        sealed_at: When the seal was made.
        account: Of the event, as it stands in the log now, as the next ones; None where it is gone.
        stream: The same; of a removed event of a notification that is known still, its id.
        version: The same.
        type: The same.
        recorded_at: The same.
    """

    kind: Kind
    seal: int | None = None
    position: int | None = None
    sealed_at: datetime | None = None
    account: str | None = None
    stream: UUID | None = None
    version: int | None = None
    type: str | None = None
    recorded_at: datetime | None = None


@dataclass(slots=True)
class Verification:
    """What a verification has been through.

    Attributes:
        seals: How many.
        events: How many events under them.
        unsealed: How many events have come since the last one.
        archived: How many of those under seals lie in archives that were left out.
        findings: How many findings there were.
        last: The last seal as a witness would note it, None if there is none.
    """

    seals: int = 0
    events: int = 0
    unsealed: int = 0
    archived: int = 0
    findings: int = 0
    last: str | None = None


def verify(
    connection: Connection,
    result: Verification,
    *,
    witnessed: Mapping[int, bytes] | None = None,
    archived: Callable[[Archive], Iterator[Block]] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Finding]:
    """Recompute every seal from the events, and yield what does not fit.

    Log and seals are read through one snapshot, beside any traffic, and in bounded memory.

    Args:
        connection: Where the log is; in no transaction.
        result: Counts meanwhile.
        witnessed: Digests of seals that were noted elsewhere, by number.
        archived: Gives the digests of an archive's events, in the order of positions; None to
            leave out what lies in archives alone.
        progress: Told how many more events have been read.
    """
    with one_snapshot(connection):
        away = [one for one in archives(connection) if one.dropped_at is not None]
        sources = [_live(connection), *([archived(one) for one in away] if archived else [])]
        events = _Events(sources, progress)
        absent = _Absent([] if archived else away)
        findings = _findings(connection, events, absent, result, witnessed or {})
        for finding in _named(connection, findings):
            result.findings += 1
            yield finding


class _Source:
    """Blocks of digests, and how far they have been read."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks = blocks
        self._through = _LEAST

    def through(self, position: int) -> Iterator[Block]:
        """Yield what has to be read until nothing more can come at this position."""
        while self._through < position:
            block = next(self._blocks, _NO_MORE)
            self._through = block.through
            yield block


class _Events:
    """The digests of the log, taken by position; what nobody takes is left over."""

    def __init__(
        self, sources: Iterable[Iterator[Block]], progress: Callable[[int], None] | None
    ) -> None:
        self._sources = [_Source(source) for source in sources]
        self._progress = progress
        self._waiting: dict[int, bytes] = {}
        self._more: list[tuple[int, bytes]] = []  # at positions that another one has, too

    def read_through(self, position: int) -> None:
        """Read until nothing more can come at this position."""
        for source in self._sources:
            for block in source.through(position):
                self._keep(block)
                if self._progress:
                    self._progress(len(block.positions))

    def _keep(self, block: Block) -> None:
        added = dict(zip(block.positions, block.digests, strict=True))
        if len(added) == len(block.positions) and self._waiting.keys().isdisjoint(added):
            self._waiting |= added
            return
        for position, digest in zip(block.positions, block.digests, strict=True):
            if self._waiting.setdefault(position, digest) is not digest:
                self._more.append((position, digest))

    def all_of(self, positions: Sequence[int]) -> list[bytes] | None:
        """Return the digests of the events at these positions; None if there is not one of each."""
        if self._more:
            return None
        waiting = self._waiting
        try:
            return [waiting[position] for position in positions]
        except KeyError:
            return None

    def drop(self, positions: Iterable[int]) -> None:
        """Take these, which are as they were."""
        for position in positions:
            del self._waiting[position]

    def take(self, position: int, mark: bytes) -> bytes | None:
        """Take the event at a position: the one with this mark, else any, else none."""
        found = self._waiting.pop(position, None)
        if found is not None and not found.startswith(mark):
            for nth, (where, digest) in enumerate(self._more):
                if where == position and digest.startswith(mark):
                    self._more[nth] = where, found
                    return digest
        return found

    def left(self) -> list[tuple[int, bytes]]:
        """Return positions and digests of what has been read and not been taken."""
        return [*self._waiting.items(), *self._more]


class _Absent:
    """The positions of events that lie in archives which are left out."""

    def __init__(self, archives: Sequence[Archive]) -> None:
        pieces = sorted(
            (piece.lower or 0, piece.upper or 0) for one in archives for piece in one.positions
        )
        self._begins = [begin for begin, _ in pieces]
        self._ends = [end for _, end in pieces]

    def __contains__(self, position: int) -> bool:
        at = bisect_right(self._begins, position) - 1
        return at >= 0 and position < self._ends[at]


def _findings(
    connection: Connection,
    events: _Events,
    absent: _Absent,
    result: Verification,
    witnessed: Mapping[int, bytes],
) -> Iterator[Finding]:
    previous = BEGINNING
    for seal in _seals(connection):
        for number in range(result.seals + 1, seal.number):
            yield Finding("seal_missing", number)
        result.seals, result.last = seal.number, str(seal)
        result.events += seal.events
        yield from _judge(seal, previous, events, absent, result)
        if witnessed.get(seal.number, seal.digest) != seal.digest:
            yield Finding("not_witnessed", seal.number, sealed_at=seal.sealed_at)
        previous = seal.digest  # the stored one, so that what follows is judged by itself
    for number in sorted(witnessed):
        if number > result.seals:
            yield Finding("not_witnessed", number)
    events.read_through(_MOST)
    yield from _unsealed(connection, events.left(), result)


def _judge(
    seal: Seal, previous: bytes, events: _Events, absent: _Absent, result: Verification
) -> Iterator[Finding]:
    if not seal.is_whole:
        yield Finding("seal_changed", seal.number, sealed_at=seal.sealed_at)
        return
    positions = seal.each_position
    events.read_through(positions[-1] if positions else _LEAST)
    found = events.all_of(positions)
    if found is not None and _fits(seal, previous, found):
        events.drop(positions)
        return
    taken: list[bytes] = []
    blamed = away = 0
    for nth, position in enumerate(positions):
        if position in absent:
            away += 1
            continue
        mark = seal.mark(nth)
        digest = events.take(position, mark)
        if digest is None or digest[:MARK] != mark:
            blamed += 1
            kind: Kind = "removed" if digest is None else "changed"
            yield Finding(kind, seal.number, position, seal.sealed_at)
        else:
            taken.append(digest)
    result.archived += away
    if not blamed and not away and not _fits(seal, previous, taken):
        yield Finding("seal_changed", seal.number, sealed_at=seal.sealed_at)


def _fits(seal: Seal, previous: bytes, digests: Sequence[bytes]) -> bool:
    return link(previous, seal.number, seal.epoch, seal.sealed_at, digests) == seal.digest


def _unsealed(
    connection: Connection, left: list[tuple[int, bytes]], result: Verification
) -> Iterator[Finding]:
    for at in range(0, len(left), _DETAILS):
        positions, digests_ = map(list, zip(*left[at : at + _DETAILS], strict=True))
        told = connection.execute(
            query("unsealed"),
            {
                "consumer": CONSUMER,
                "positions": positions,
                "digests": digests_,
                "first": min(positions),
                "last": max(positions),
            },
        ).fetchall()
        for position, account, stream, version, type_, recorded_at, forgotten in told:
            if forgotten:
                yield Finding(
                    "added", None, position, None, account, stream, version, type_, recorded_at
                )
            else:
                result.unsealed += 1
        known = {position for position, *_ in told}
        for position in positions:
            if position not in known:  # an archive's
                yield Finding("added", None, position)


def _named(connection: Connection, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Say of the events under seals which they are, as far as the database still knows."""
    while some := list(islice(findings, _DETAILS)):
        positions = [one.position for one in some if one.position is not None and one.type is None]
        known: dict[int, Sequence[Any]] = {}
        if positions:
            given = {"positions": positions, "first": min(positions), "last": max(positions)}
            for position, *who in connection.execute(query("sealed_events"), given):
                known[position] = who
        for one in some:
            if one.type is None and one.position in known:
                yield Finding(*one[:4], *known[one.position])
            else:
                yield one


def _live(connection: Connection) -> Iterator[Block]:
    last = last_position(connection)
    # Nothing lies outside, unless somebody put it there.
    yield from blocks(connection, _LEAST, 0, span=_MOST)
    yield from blocks(connection, 0, last)
    yield from blocks(connection, last, _MOST, span=_MOST)


def _seals(connection: Connection) -> Iterator[Seal]:
    with connection.cursor(name="outbox_seals") as cursor:
        cursor.itersize = 100
        cursor.execute(
            "select number, epoch, sealed_at, positions, events, marks, digest"
            " from outbox.seal order by number"
        )
        yield from (Seal(*row) for row in cursor)
