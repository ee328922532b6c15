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
    flight, waiting, turned, begun = _flight(), _attempt(), _attempt(2), _attempt(3)
    flight.take([waiting, turned, begun])
    flight.follow(_key(turned), begun=False)
    flight.follow(_key(begun), begun=False)
    flight.follow(_key(begun), begun=True)
    assert flight.crash("the process died") == [
        Outcome(*_key(waiting), "not_sent", error="the process died"),
        Outcome(*_key(turned), "not_sent", error="the process died"),
        Outcome(*_key(begun), "unknown", error="the process died"),
    ]
    assert flight.seconds_left is None


def test_waiting_is_not_overdue() -> None:
    """The time of an attempt begins when the process turns to it."""
    flight, one = _flight(), _attempt()
    assert flight.seconds_left is None
    flight.take([one])
    assert flight.seconds_left is None


def test_overdue() -> None:
    """There is one time for what comes before the frame, and one for its acknowledgement."""
    flight, one = _flight(prepare_within=300, acknowledge_within=90), _attempt()
    flight.take([one])
    flight.follow(_key(one), begun=False)
    assert 200 < (flight.seconds_left or 0) <= 300
    flight.follow(_key(one), begun=True)
    assert 50 < (flight.seconds_left or 0) <= 90
    assert flight.land(_key(one))
    assert flight.seconds_left is None


def test_the_first_is_overdue_first() -> None:
    """Of several the one counts whose time is up first, also when it is up."""
    flight, first, second = _flight(300, 1e-9), _attempt(), _attempt()
    flight.take([first, second])
    flight.follow(_key(first), begun=False)
    flight.follow(_key(second), begun=True)
    assert (flight.seconds_left or 1) <= 0


def test_stranger() -> None:
    """An attempt that was never taken, or has landed, is not followed."""
    flight, one = _flight(), _attempt()
    flight.follow(_key(one), begun=True)
    assert not flight.land(_key(one))
    assert flight.seconds_left is None
    assert flight.crash("gone") == []


def test_says_what_is_late() -> None:
    """What was not prepared in time is not WhatsApp's fault."""
    flight, one = _flight(prepare_within=0, acknowledge_within=0), _attempt()
    flight.take([one])
    complaints = [flight.complaint]
    for begun in (False, True):
        flight.follow(_key(one), begun=begun)
        complaints.append(flight.complaint)
    flight.land(_key(one))
    complaints.append(flight.complaint)
    assert complaints == [
        None,
        "a message was not converted and uploaded in time",
        "WhatsApp did not acknowledge a message in time",
        None,
    ]
