"""The vigil: when an owner looks, and that parking misses nothing."""

from typing import cast

import pytest

from outbox.delivery import vigil
from outbox.delivery.feed import Feed, running_transactions
from outbox.delivery.vigil import Vigil
from outbox.log import lease
from outbox.log.database import Connection

POLL = 30.0
NOBODY = cast("Connection", None)
"""The connection is handed on, no more."""


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now


class Looking:
    """A feed that counts its looks, and sees what a test says."""

    def __init__(self) -> None:
        self.looks = 0
        self.afresh = 0
        self.arriving = 0
        self.snapshot = "10:10:"
        self.has_more = False

    def look(self, _: Connection) -> int:
        """Look."""
        self.looks += 1
        arrived, self.arriving = self.arriving, 0
        return arrived

    def look_afresh(self, _: Connection) -> None:
        """Look at all."""
        self.afresh += 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the vigil."""
    clock = Clock()
    monkeypatch.setattr(vigil, "time", clock)
    return clock


@pytest.fixture
def parks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What the vigil has told the log of being told."""
    parks: list[bool] = []

    def park(*_: object, wake: bool) -> None:
        parks.append(wake)

    monkeypatch.setattr(lease, "park", park)
    return parks


@pytest.fixture
def feed() -> Looking:
    """The feed."""
    return Looking()


@pytest.fixture
def one(clock: Clock, feed: Looking) -> Vigil:
    """A vigil that has just begun."""
    return Vigil(cast("Feed", feed), "main", 1, POLL)


def _park(one: Vigil, clock: Clock) -> float:
    """Let it have nothing to do for long enough, and return how long it may rest."""
    clock.now += 0.5
    return one.seconds_to_rest(NOBODY, idle=True)


def test_owner_that_is_awake_looks_often(one: Vigil, clock: Clock, feed: Looking) -> None:
    """A busy queue need not notify."""
    for _ in range(100):
        one.look_if_due(NOBODY)
        clock.now += 0.001
    assert 9 <= feed.looks <= 11


def test_owner_parks_only_when_it_has_had_nothing_to_do_for_a_while(
    one: Vigil, clock: Clock, parks: list[bool]
) -> None:
    """So that between two arrivals nobody pays for parking."""
    one.note_work()
    one.seconds_to_rest(NOBODY, idle=True)
    clock.now += 0.5
    one.seconds_to_rest(NOBODY, idle=False)
    assert parks == []
    one.seconds_to_rest(NOBODY, idle=True)
    assert parks == [True]


def test_parked_owner_looks_once_more_before_it_sleeps(
    one: Vigil, clock: Clock, feed: Looking, parks: list[bool]
) -> None:
    """What came between its last look and its wish to be told is found."""
    feed.arriving = 1
    assert _park(one, clock) == 0
    assert feed.looks == 1
    assert one.seconds_to_rest(NOBODY, idle=True) > 29


def test_parked_owner_watches_while_a_transaction_may_not_know(
    one: Vigil, clock: Clock, feed: Looking, parks: list[bool]
) -> None:
    """Often at first, each second later, and no longer than the transaction runs."""
    feed.snapshot = "10:20:10,15"
    assert _park(one, clock) == pytest.approx(0.05)
    looks, rests = feed.looks, []
    for _ in range(8):
        rest = one.seconds_to_rest(NOBODY, idle=True)
        rests.append(rest)
        clock.now += rest
        one.look_if_due(NOBODY)
    assert rests == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0])
    assert feed.looks == looks + 8
    feed.snapshot = "15:30:15,25"  # 10 has ended; 25 began later and knows
    clock.now += 1
    one.look_if_due(NOBODY)
    assert one.seconds_to_rest(NOBODY, idle=True) == pytest.approx(1.0)
    feed.snapshot = "25:30:25"
    clock.now += 1
    one.look_if_due(NOBODY)
    assert one.seconds_to_rest(NOBODY, idle=True) > 20


def test_owner_that_is_told_looks_at_once(
    one: Vigil, clock: Clock, feed: Looking, parks: list[bool]
) -> None:
    """It stays parked, and is told again."""
    _park(one, clock)
    looks = feed.looks
    one.hear()
    assert one.seconds_to_rest(NOBODY, idle=True) == 0
    one.look_if_due(NOBODY)
    assert feed.looks == looks + 1
    assert parks == [True]


def test_busy_owner_wants_to_be_told_no_more(
    one: Vigil, clock: Clock, feed: Looking, parks: list[bool]
) -> None:
    """NOTIFY takes a lock of the whole server at commit."""
    _park(one, clock)
    for _ in range(60):
        feed.arriving = 1
        one.hear()
        one.look_if_due(NOBODY)
        clock.now += 0.005
    assert parks == [True, False]
    one.note_work()
    assert _park(one, clock) > 29
    assert parks == [True, False, True]


def test_few_arrivals_leave_it_parked(
    one: Vigil, clock: Clock, feed: Looking, parks: list[bool]
) -> None:
    """Some each second are cheaper to be told of than to be looked for."""
    _park(one, clock)
    for _ in range(200):
        feed.arriving = 1
        one.hear()
        one.look_if_due(NOBODY)
        clock.now += 0.1
    assert parks == [True]


def test_page_that_is_wanted_is_not_waited_for(one: Vigil, clock: Clock, feed: Looking) -> None:
    """Nor what has come due."""
    one.look_if_due(NOBODY)
    feed.has_more = True
    one.look_if_due(NOBODY)
    assert feed.looks == 2


def test_quiet_poll_ends_with_a_look_at_all(
    one: Vigil, clock: Clock, feed: Looking, parks: list[bool]
) -> None:
    """Whatever was missed is found then."""
    _park(one, clock)
    clock.now += POLL
    assert one.is_over
    assert one.seconds_to_rest(NOBODY, idle=True) == 0
    one.begin_again(NOBODY)
    assert feed.afresh == 1
    assert not one.is_over


def test_work_makes_the_poll_begin_again(one: Vigil, clock: Clock) -> None:
    """It is what a quiet account needs."""
    clock.now += POLL - 1
    one.note_work()
    clock.now += 2
    assert not one.is_over


def test_owner_that_waits_for_outcomes_does_not_spin_when_its_poll_is_over(
    one: Vigil, clock: Clock, feed: Looking, parks: list[bool]
) -> None:
    """An acknowledgement may take longer than a poll."""
    clock.now += POLL + 1
    one.look_if_due(NOBODY)
    assert one.seconds_to_rest(NOBODY, idle=False) > 0


@pytest.mark.parametrize(
    ("snapshot", "running"),
    [("10:10:", set()), ("10:20:10", {"10"}), ("7:20:7,9,19", {"7", "9", "19"})],
)
def test_running_transactions_are_read_from_a_snapshot(snapshot: str, running: set[str]) -> None:
    """As PostgreSQL writes it."""
    assert running_transactions(snapshot) == running
