"""The feed: what an owner reads of the log, in which order, and what it waits for."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID, uuid4

import pytest

from outbox.delivery import feed as module
from outbox.delivery.feed import Feed
from outbox.delivery.lanes import Lanes
from outbox.log.database import Connection
from outbox.log.queue import Arrivals, Entry, Ripe

NOBODY = cast("Connection", None)
ALICE, BOB = UUID(int=1), UUID(int=2)


class Log:
    """The log's answers, as a test gives them, and the questions in their order."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[str] = []
        self.arriving: list[Entry] = []
        self.arriving_later: float | None = None
        self.ripening: list[Entry] = []
        self.next_due_at: float | None = None
        self.queued: list[Entry] = []
        self.blocked: list[tuple[UUID, float]] = []

    def monotonic(self) -> float:
        """Return the time, of the owner's clock as of the database's."""
        return self.now

    def snapshot(self, _: Connection) -> tuple[str, float]:
        """Return where arrivals begin."""
        self.asked.append("snapshot")
        return "1:1:", self.now

    def waiting(self, *_: object) -> list[tuple[UUID, float]]:
        """Return who waits."""
        self.asked.append("waiting")
        return self.blocked

    def arrivals(self, _: Connection, __: str, seen: str, ___: int) -> Arrivals:
        """Return what has arrived since the last time."""
        self.asked.append(f"arrivals since {seen}")
        due, self.arriving = self.arriving, []
        later, self.arriving_later = self.arriving_later, None
        return Arrivals(f"{self.now:.0f}:{self.now:.0f}:", self.now, due, later)

    def ripe(self, *_: object) -> Ripe:
        """Return what has come due."""
        self.asked.append("ripe")
        due, self.ripening = self.ripening, []
        return Ripe(self.now, self.next_due_at, due)

    def page(self, _: Connection, __: str, behind: tuple[int, int], limit: int) -> Sequence[Entry]:
        """Return the next page."""
        self.asked.append(f"page behind {behind[1]}")
        place = -behind[0], behind[1]
        return [e for e in self.queued if (-e.priority, e.position) > place][:limit]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    """The log, and the clock."""
    log = Log()
    monkeypatch.setattr(module, "queue", log)
    monkeypatch.setattr(module, "time", log)
    return log


def _entry(position: int, recipient: UUID = ALICE) -> Entry:
    return Entry(uuid4(), recipient, 0, position)


def _feed(lanes: Lanes) -> Feed:
    return Feed(NOBODY, "main", lanes, 0)


def test_pages_are_read_behind_the_snapshot_from_which_arrivals_are_followed(log: Log) -> None:
    """So nothing falls between them: what a page does not see yet is an arrival."""
    log.queued = [_entry(n) for n in range(1, 4)]
    lanes = Lanes(100)
    feed = _feed(lanes)
    assert log.asked == ["snapshot", "waiting", "ripe", "arrivals since 1:1:", "page behind 0"]
    assert len(lanes) == 3
    assert lanes.horizon is None
    feed.look(NOBODY)
    assert log.asked[-1] == "arrivals since 1000:1000:"


def test_page_follows_on_page(log: Log) -> None:
    """Behind the last entry of the one before, as long as there is room."""
    log.queued = [_entry(n, UUID(int=n)) for n in range(1, 6)]
    lanes = Lanes(2)
    feed = _feed(lanes)
    taken = []
    for _ in range(5):
        taken += lanes.take(1)
        feed.look(NOBODY)
    assert taken == log.queued
    assert [asked for asked in log.asked if asked.startswith("page")] == [
        "page behind 0",
        "page behind 2",
        "page behind 4",
    ]


def test_what_comes_due_is_told_before_its_recipient_goes_on(log: Log) -> None:
    """Else what follows it would overtake it."""
    retried, after = _entry(1), _entry(2)
    log.blocked = [(ALICE, 1005.0)]
    log.queued = [after]
    log.next_due_at = 1005.0
    lanes = Lanes(100)
    feed = _feed(lanes)
    assert lanes.take(9) == []
    assert feed.seconds_to_next == 5.0
    log.now, log.ripening, log.next_due_at = 1005.0, [retried], None
    assert feed.has_more
    feed.look(NOBODY)
    assert lanes.take(9) == [retried]
    assert feed.seconds_to_next is None


def test_earliest_moment_is_what_it_waits_for(log: Log) -> None:
    """Whoever told of it: the log, an arrival, a failure that was just recorded."""
    lanes = Lanes(100)
    feed = _feed(lanes)
    assert feed.seconds_to_next is None
    log.arriving_later = 1020.0
    feed.look(NOBODY)
    assert feed.seconds_to_next == 20.0
    feed.expect(1030.0)
    assert feed.seconds_to_next == 20.0
    feed.expect(1010.0)
    assert feed.seconds_to_next == 10.0
    lanes.block(BOB, 1003.0)
    assert feed.seconds_to_next == 3.0
    log.now = 1004.0
    assert feed.seconds_to_next == 0.0


def test_look_counts_what_has_arrived(log: Log) -> None:
    """And adds it to the lanes."""
    lanes = Lanes(100)
    feed = _feed(lanes)
    log.arriving = [_entry(7), _entry(8, BOB)]
    assert feed.look(NOBODY) == 2
    assert {entry.position for entry in lanes.take(9)} == {7, 8}


def test_look_afresh_reads_the_front_and_leaves_the_horizon(log: Log) -> None:
    """What is held from behind it must not be overtaken by what an earlier horizon would drop."""
    log.queued = [_entry(n, UUID(int=n)) for n in range(1, 6)]
    lanes = Lanes(2)
    feed = _feed(lanes)
    lanes.take(1)
    feed.look(NOBODY)
    horizon = lanes.horizon
    forgotten = _entry(0, UUID(int=99))._replace(priority=5)
    log.queued.insert(0, forgotten)
    feed.look_afresh(NOBODY)
    assert lanes.horizon == horizon
    assert lanes.take(1) == [forgotten]
