"""Every parcel comes out of a flight once, by whatever way."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from outbox.session.flight import Flight, Parcel


def parcel(message_id: str = "3EB0", size: int = 10, notification: UUID | None = None) -> Parcel:
    """Return an attempt ready to leave."""
    return Parcel(notification or uuid4(), 1, message_id, b"x" * size)


def test_no_more_than_the_capacity() -> None:
    """What goes beyond the capacity waits until something has landed, and keeps its order."""
    flight = Flight(2, 60.0)
    for n in range(4):
        flight.take(Parcel(uuid4(), n, str(n), b"%d" % n))
    assert flight.depart(0, 0.0) == b"01"
    assert flight.depart(2, 0.0) == b""
    assert flight.land("1") is not None
    assert flight.depart(2, 0.0) == b"2"
    assert len(flight) == 2


def test_lands_once() -> None:
    """A second answer to the same message finds nothing."""
    flight = Flight(2, 60.0)
    flight.take(parcel("a"))
    flight.depart(0, 0.0)
    assert flight.land("a") is not None
    assert flight.land("a") is None
    assert flight.land("b") is None


def test_handed_over_twice() -> None:
    """An attempt that is handed over again while it flies does not leave a second time."""
    flight = Flight(2, 60.0)
    flight.take(parcel("a", size=3))
    flight.take(parcel("a", size=3))
    assert flight.depart(0, 0.0) == b"xxx"
    assert len(list(flight.crash(0))) == 1


def test_overdue() -> None:
    """What is not answered in time is overdue, in the order of leaving."""
    flight = Flight(5, 10.0)
    for n, moment in enumerate((0.0, 1.0, 2.0)):
        flight.take(parcel(str(n)))
        flight.depart(0, moment)
    assert flight.next_due == 10.0
    assert [one.message_id for one in flight.overdue(11.0)] == ["0", "1"]
    assert flight.next_due == 12.0
    assert flight.land("0") is None


def test_crash() -> None:
    """Whatever has a byte written may have left; what has none, or waits, has not."""
    flight = Flight(3, 60.0)
    for n in range(4):
        flight.take(parcel(str(n), size=10))
    flight.depart(100, 0.0)
    assert [(one.message_id, left) for one, left in flight.crash(110)] == [
        ("0", True),
        ("1", False),
        ("2", False),
        ("3", False),
    ]
    assert flight.next_due is None


ways = st.lists(st.sampled_from(["take", "depart", "land", "overdue", "cancel", "crash"]))


@given(ways, st.integers(1, 4), st.data())
def test_each_once(ways: list[str], capacity: int, data: st.DataObject) -> None:
    """Whatever happens in whatever order, no parcel is lost and none comes out twice."""
    flight = Flight(capacity, 3.0)
    taken: list[str] = []
    out: list[str] = []
    for now, way in enumerate(ways):
        if way == "take":
            taken.append(str(len(taken)))
            flight.take(parcel(taken[-1]))
        elif way == "depart":
            flight.depart(0, now)
        elif way == "land" and taken:
            landed = flight.land(data.draw(st.sampled_from(taken)))
            out += [landed.message_id] if landed else []
        elif way == "overdue":
            out += [one.message_id for one in flight.overdue(now)]
        elif way == "cancel":
            out += [one.message_id for one in flight.cancel()]
        elif way == "crash":
            out += [one.message_id for one, _ in flight.crash(0)]
        assert len(flight) <= capacity
    out += [one.message_id for one, _ in flight.crash(0)]
    assert sorted(out) == sorted(taken)
