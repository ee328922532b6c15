"""Lanes held against a model so simple that it is right, in any order of events."""

from collections import defaultdict
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from outbox.delivery.lanes import FRONT, Lanes
from outbox.log.queue import Entry

_WINDOW = 4
_RECIPIENTS = st.integers(1, 5)
_PRIORITIES = st.sampled_from([0, 0, 0, 1, -1])


def _place(entry: Entry) -> tuple[int, int]:
    return -entry.priority, entry.position


class Queue(RuleBasedStateMachine):
    """The database's queue and an owner's memory of it.

    The model is the queue itself: what is pending, who has something out, who waits until when.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lanes = Lanes(_WINDOW)
        self.pending: dict[UUID, Entry] = {}
        self.untold: list[Entry] = []
        self.out: dict[UUID, Entry] = {}
        self.waits: dict[UUID, float] = {}
        self.position = 0
        self.now = 0.0

    def _behind(self, place: tuple[int, int]) -> list[Entry]:
        """Return the next page behind a place in the queue."""
        behind = [e for e in self.pending.values() if _place(e) > (-place[0], place[1])]
        return sorted(behind, key=_place)[:_WINDOW]

    def _look(self) -> None:
        """Look, as the feed does: arrivals first, then pages so long as they are wanted."""
        self.lanes.add(self.untold)
        self.untold = []
        for _ in range(30):
            if self.lanes.wants_page and self.lanes.horizon is not None:
                self.lanes.add_page(self._behind(self.lanes.horizon))

    @rule(recipient=_RECIPIENTS, priority=_PRIORITIES)
    def enqueue(self, recipient: int, priority: int) -> None:
        """One arrives; the next look tells of it, and a page may have told already."""
        self.position += 1
        entry = Entry(UUID(int=1000 + self.position), UUID(int=recipient), priority, self.position)
        self.pending[entry.id] = entry
        self.untold.append(entry)

    @rule(count=st.integers(1, 4))
    def take(self, count: int) -> None:
        """What is given out may go, and of its recipient nothing that is here comes before it."""
        self._look()
        for entry in self.lanes.take(count):
            assert entry.recipient not in self.out
            assert entry.recipient not in self.waits
            del self.pending[entry.id]
            self.out[entry.recipient] = entry
            before = [
                other
                for other in self.pending.values()
                if other.recipient == entry.recipient and _place(other) < _place(entry)
            ]
            assert not before

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        """An attempt succeeds."""
        recipient = data.draw(st.sampled_from(sorted(self.out)))
        del self.out[recipient]
        self.lanes.release(recipient)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        """An attempt was not sent at all: it is due at once."""
        recipient = data.draw(st.sampled_from(sorted(self.out)))
        entry = self.out.pop(recipient)
        self.pending[entry.id] = entry
        self.lanes.release(recipient)
        self.lanes.add([entry])

    @rule(count=st.integers(1, 4), seconds=st.integers(0, 5))
    def take_in_vain(self, count: int, seconds: int) -> None:
        """What is given out may not go: it waits, or its account does, and nothing has changed."""
        self._look()
        ready = self.lanes.take(count)
        for entry in ready:
            if seconds:
                self.waits[entry.recipient] = self.now + seconds
                self.lanes.block(entry.recipient, self.now + seconds)
        self.lanes.put_back(ready)
        if not seconds:
            assert self.lanes.take(count) == ready
            self.lanes.put_back(ready)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), seconds=st.integers(1, 9))
    def fail(self, data: st.DataObject, seconds: int) -> None:
        """An attempt fails: its recipient waits, and it comes back with its moment."""
        recipient = data.draw(st.sampled_from(sorted(self.out)))
        entry = self.out.pop(recipient)
        self.waits[recipient] = self.now + seconds
        self.pending[entry.id] = entry
        self.lanes.block(recipient, self.now + seconds)
        self.lanes.release(recipient)

    @rule(seconds=st.integers(1, 5))
    def pass_time(self, seconds: int) -> None:
        """What has come due is told before its recipient goes on."""
        self.now += seconds
        ripe = {r for r, until in self.waits.items() if until <= self.now}
        self.lanes.add([e for e in self.pending.values() if e.recipient in ripe])
        self.lanes.unblock(self.now)
        for recipient in ripe:
            del self.waits[recipient]

    @rule()
    def look_afresh(self) -> None:
        """The front of the queue is read again."""
        self._look()
        self.lanes.add(self._behind(FRONT))

    @invariant()
    def memory_is_bounded(self) -> None:
        """Pages are added only as they are wanted."""
        assert len(self.lanes) <= len(self.pending)

    def teardown(self) -> None:
        """In the end everything is given out, in order: nothing is forgotten."""
        for recipient in list(self.out):
            del self.out[recipient]
            self.lanes.release(recipient)
        self.pass_time(100)
        order: defaultdict[UUID, list[tuple[int, int]]] = defaultdict(list)
        for _ in range(10 * self.position + 10):
            self._look()
            for entry in self.lanes.take(1):
                del self.pending[entry.id]
                order[entry.recipient].append(_place(entry))
                self.lanes.release(entry.recipient)
        assert not self.pending
        assert all(places == sorted(places) for places in order.values())


TestLanes = Queue.TestCase
TestLanes.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
