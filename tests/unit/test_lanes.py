"""An owner's lanes: who is next, and what memory holds."""

from uuid import UUID, uuid4

import pytest

from outbox.delivery.lanes import Lanes
from outbox.log.queue import Entry

ALICE, BOB, CAROL = (UUID(int=n) for n in (1, 2, 3))


class Queue:
    """A queue in which each entry's position is its place of enqueueing."""

    def __init__(self) -> None:
        self.position = 0

    def entry(self, recipient: UUID, priority: int = 0) -> Entry:
        """Enqueue one more."""
        self.position += 1
        return Entry(uuid4(), recipient, priority, self.position)

    def entries(self, *recipients: UUID) -> list[Entry]:
        """Enqueue one for each of these."""
        return [self.entry(recipient) for recipient in recipients]


@pytest.fixture
def queue() -> Queue:
    """A queue."""
    return Queue()


@pytest.fixture
def lanes() -> Lanes:
    """Lanes that hold the whole queue, of which there is nothing yet."""
    lanes = Lanes(100)
    lanes.add_page([])
    return lanes


def test_one_of_a_recipient_is_out_at_a_time(lanes: Lanes, queue: Queue) -> None:
    """The next one is given out when nothing of the recipient is out any more."""
    first, second = queue.entries(ALICE, ALICE)
    lanes.add([first, second])
    assert lanes.take(10) == [first]
    assert lanes.take(10) == []
    lanes.release(ALICE)
    assert lanes.take(10) == [second]


def test_of_a_recipient_the_earlier_goes_first_whenever_it_is_heard_of(
    lanes: Lanes, queue: Queue
) -> None:
    """The order is that of enqueueing, not that of being told."""
    first, second, third = queue.entries(ALICE, ALICE, ALICE)
    lanes.add([third])
    lanes.add([second])
    lanes.add([first])
    order = []
    for _ in range(3):
        order += lanes.take(10)
        lanes.release(ALICE)
    assert order == [first, second, third]


def test_higher_priority_goes_first(lanes: Lanes, queue: Queue) -> None:
    """Between recipients and within one."""
    late, slow, urgent = queue.entry(ALICE), queue.entry(BOB, -5), queue.entry(ALICE, 9)
    lanes.add([late, slow, urgent])
    assert lanes.take(1) == [urgent]
    lanes.release(ALICE)
    assert lanes.take(10) == [late, slow]


def test_turns_go_round(lanes: Lanes, queue: Queue) -> None:
    """A recipient with much in the queue does not starve one that comes later."""
    many = queue.entries(*[ALICE] * 5)
    lanes.add(many)
    few = queue.entries(BOB, BOB, CAROL)
    lanes.add(few)
    order = []
    while taken := lanes.take(1):
        order.append(taken[0].recipient)
        lanes.release(taken[0].recipient)
    assert order == [ALICE, BOB, CAROL, ALICE, BOB, ALICE, ALICE, ALICE]


def test_waiting_recipient_holds_up_nobody_else(lanes: Lanes, queue: Queue) -> None:
    """It is passed over until its moment has come, and then goes on in order."""
    first, second, other = queue.entries(ALICE, ALICE, BOB)
    lanes.add([first, second, other])
    lanes.block(ALICE, 100.0)
    assert lanes.take(10) == [other]
    assert lanes.next_unblock_at == 100.0
    lanes.unblock(99.9)
    assert lanes.take(10) == []
    lanes.unblock(100.0)
    assert lanes.take(10) == [first]
    assert lanes.next_unblock_at is None


def test_recipient_in_doubt_gets_nothing_before_it_is_settled(lanes: Lanes, queue: Queue) -> None:
    """It may be occupied before anything of it is in the queue."""
    lanes.occupy(ALICE)
    first, other = queue.entries(ALICE, BOB)
    lanes.add([first, other])
    assert lanes.take(10) == [other]
    lanes.release(ALICE)
    assert lanes.take(10) == [first]


def test_retried_one_goes_before_what_follows_it(lanes: Lanes, queue: Queue) -> None:
    """What comes back has kept its place."""
    first, second = queue.entries(ALICE, ALICE)
    lanes.add([first, second])
    assert lanes.take(1) == [first]
    lanes.release(ALICE)
    lanes.add([first])
    assert lanes.take(10) == [first]


def test_what_is_told_twice_is_given_out_once(lanes: Lanes, queue: Queue) -> None:
    """Looks overlap."""
    (only,) = queue.entries(ALICE)
    lanes.add([only])
    lanes.add([only])
    assert len(lanes) == 1
    assert lanes.take(10) == [only]
    lanes.release(ALICE)
    assert lanes.take(10) == []


def test_next_page_is_wanted_when_half_of_one_is_left(queue: Queue) -> None:
    """So memory holds a page and a half at most while all goes well."""
    lanes = Lanes(4)
    assert lanes.wants_page
    lanes.add_page([queue.entry(UUID(int=n)) for n in range(4)])
    assert not lanes.wants_page
    lanes.take(1)
    assert not lanes.wants_page
    lanes.take(1)
    assert lanes.wants_page


def test_short_page_is_the_last(queue: Queue) -> None:
    """From then on everything is here, and arrivals are taken wherever they belong."""
    lanes = Lanes(4)
    lanes.add_page(queue.entries(ALICE, BOB, CAROL))
    assert not lanes.wants_page
    lanes.add([queue.entry(UUID(int=9), -7)])
    assert len(lanes) == 4


def test_what_lies_behind_the_horizon_is_left_to_a_later_page(queue: Queue) -> None:
    """An arrival in front of it is taken at once, one behind it would be out of order."""
    lanes = Lanes(2)
    lanes.add_page(queue.entries(ALICE, BOB))
    behind, urgent = queue.entry(CAROL), queue.entry(CAROL, 5)
    lanes.add([behind, urgent])
    assert lanes.take(1) == [urgent]
    assert len(lanes) == 2


def test_page_is_wanted_while_all_that_is_here_has_to_wait(queue: Queue) -> None:
    """A recipient with more than a page in the queue does not hide the others behind it."""
    lanes = Lanes(2)
    lanes.add_page(queue.entries(ALICE, ALICE))
    assert lanes.take(10)
    assert lanes.wants_page
    lanes.add_page(queue.entries(ALICE, ALICE))
    lanes.add_page(queue.entries(ALICE, BOB))
    assert [entry.recipient for entry in lanes.take(10)] == [BOB]


def test_memory_is_bounded_whatever_waits(queue: Queue) -> None:
    """Five pages are held, then it has to wait for its one recipient."""
    lanes = Lanes(10)
    lanes.block(ALICE, 1.0)
    while lanes.wants_page:
        lanes.add_page(queue.entries(*[ALICE] * 10))
    assert len(lanes) == 50


def test_what_was_given_out_in_vain_keeps_its_place(lanes: Lanes, queue: Queue) -> None:
    """Between recipients, too: what came meanwhile goes before it only if it is more urgent."""
    entries = queue.entries(ALICE, BOB, ALICE, BOB)
    lanes.add(entries)
    taken = lanes.take(2)
    assert taken == entries[:2]
    lanes.put_back(taken)
    assert len(lanes) == 4
    later, urgent = queue.entry(CAROL), queue.entry(CAROL, 5)
    lanes.add([later, urgent])
    assert lanes.take(10) == [urgent, *taken]


def test_recipient_that_is_held_gives_out_nothing_until_its_moment(
    lanes: Lanes, queue: Queue
) -> None:
    """Whoever holds it last says until when."""
    first, second, other = queue.entries(ALICE, ALICE, BOB)
    lanes.add([first, second, other])
    taken = lanes.take(1)
    lanes.block(ALICE, 10.0)
    lanes.put_back(taken)
    assert lanes.take(9) == [other]
    lanes.block(ALICE, 20.0)
    assert lanes.next_unblock_at == 20.0
    lanes.unblock(15.0)
    assert lanes.take(9) == []
    lanes.unblock(20.0)
    assert lanes.next_unblock_at is None
    assert lanes.take(9) == [first]
