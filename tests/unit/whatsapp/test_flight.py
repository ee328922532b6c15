"""What a process has been handed: each attempt comes out once, and is overdue in its time."""

import threading
from uuid import uuid4

from outbox.session.port import Attempt, Outcome
from outbox.session.whatsapp.flight import Flight, Key


def _attempt(number: int = 1) -> Attempt:
    return Attempt(uuid4(), number, "31600900001@s.whatsapp.net", {"kind": "text", "text": "Hi"})


def _key(of: Attempt) -> Key:
    return of.notification, of.number


def _flight(prepare_within: float = 300, acknowledge_within: float = 90) -> Flight:
    return Flight(prepare_within=prepare_within, acknowledge_within=acknowledge_within)


def test_lands_once() -> None:
    """Whoever takes an attempt out owes its outcome, and there is one who does."""
    flight, one = _flight(), _attempt()
    flight.take([one])
    assert len(flight) == 1
    assert flight.land(_key(one))
    assert not flight.land(_key(one))
    assert len(flight) == 0
    assert flight.crash("gone") == []


def test_lands_once_of_many_threads() -> None:
    """Of many that take an attempt out at the same time one does, or else the crash."""
    flight, these = _flight(), [_attempt() for _ in range(200)]
    flight.take(these)
    landed: list[Key] = []
    crashed: list[Outcome] = []
    start = threading.Barrier(4)

    def land() -> None:
        start.wait()
        landed.extend(_key(one) for one in these if flight.land(_key(one)))

    def crash() -> None:
        start.wait()
        crashed.extend(flight.crash("gone"))

    threads = [threading.Thread(target=what) for what in (land, land, land, crash)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out = [*landed, *((one.notification, one.number) for one in crashed)]
    assert sorted(out) == sorted(map(_key, these))


def test_crash() -> None:
    """What whatsmeow had may have left and is unknown; what it had not is not sent."""
    flight, begun, waiting = _flight(), _attempt(), _attempt(2)
    flight.take([begun, waiting])
    flight.begin(_key(begun))
    assert flight.crash("the process died") == [
        Outcome(*_key(begun), "unknown", error="the process died"),
        Outcome(*_key(waiting), "not_sent", error="the process died"),
    ]
    assert flight.seconds_left is None
    assert len(flight) == 0


def test_nothing_is_overdue_without_an_attempt() -> None:
    """Nor when the last has landed."""
    flight, one = _flight(), _attempt()
    assert flight.seconds_left is None
    flight.take([one])
    flight.land(_key(one))
    assert flight.seconds_left is None


def test_each_has_its_time_when_it_is_first() -> None:
    """One for what comes before the frame, one for its acknowledgement; waiting costs none."""
    flight = _flight(prepare_within=300, acknowledge_within=90)
    first, second = _attempt(), _attempt()
    flight.take([first])
    assert 200 < (flight.seconds_left or 0) <= 300
    flight.begin(_key(first))
    assert 50 < (flight.seconds_left or 0) <= 90
    flight.take([second])
    assert 50 < (flight.seconds_left or 0) <= 90
    flight.land(_key(first))
    assert 200 < (flight.seconds_left or 0) <= 300


def test_what_lands_behind_the_first_gives_it_no_more_time() -> None:
    """Only the one that the process has is waited for."""
    flight, first, second = _flight(acknowledge_within=90), _attempt(), _attempt()
    flight.take([first, second])
    flight.begin(_key(first))
    assert flight.land(_key(second))
    assert 50 < (flight.seconds_left or 0) <= 90


def test_stranger() -> None:
    """An attempt that was never taken, or has landed, has no time and no outcome."""
    flight, one = _flight(), _attempt()
    flight.begin(_key(one))
    assert not flight.land(_key(one))
    assert flight.seconds_left is None
    assert flight.crash("gone") == []


def test_says_what_is_late() -> None:
    """What was not prepared in time is not WhatsApp's fault."""
    flight, one = _flight(prepare_within=0, acknowledge_within=0), _attempt()
    complaints = [flight.complaint]
    flight.take([one])
    complaints.append(flight.complaint)
    flight.begin(_key(one))
    complaints.append(flight.complaint)
    flight.land(_key(one))
    complaints.append(flight.complaint)
    assert complaints == [
        None,
        "a message was not converted and uploaded in time",
        "WhatsApp did not acknowledge a message in time",
        None,
    ]
