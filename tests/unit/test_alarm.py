"""The alarm: a bell that one thread waits for, together with sockets."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from outbox.delivery.alarm import Alarm


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    """An alarm."""
    alarm = Alarm()
    yield alarm
    alarm.close()


def _seconds(alarm: Alarm, sockets: list[int], patience: float) -> float:
    began = time.monotonic()
    alarm.wait(sockets, patience)
    return time.monotonic() - began


def test_nothing_wakes_it_but_time(alarm: Alarm) -> None:
    """It waits as long as it is told to."""
    assert _seconds(alarm, [], 0.05) >= 0.05
    assert _seconds(alarm, [], -1) < 0.05


def test_ring_wakes_the_waiter(alarm: Alarm) -> None:
    """From another thread."""
    threading.Timer(0.05, alarm.ring).start()
    assert 0.04 <= _seconds(alarm, [], 5) < 1


def test_ring_before_the_wait_is_not_lost(alarm: Alarm) -> None:
    """However often it was rung, it is one."""
    for _ in range(100_000):
        alarm.ring()
    assert _seconds(alarm, [], 5) < 1
    assert _seconds(alarm, [], 0.05) >= 0.05


def test_socket_that_can_be_read_wakes_it(alarm: Alarm) -> None:
    """It is left to be read."""
    here, there = socket.socketpair()
    with here, there:
        there.send(b"news")
        assert _seconds(alarm, [here.fileno()], 5) < 1
        assert here.recv(10) == b"news"


def test_ring_while_it_wakes_is_heard_by_the_next_wait_or_seen_before(alarm: Alarm) -> None:
    """What was put down before the ring is there after the wait: nothing is slept through."""
    count = 20_000
    letters: list[int] = []

    def write() -> None:
        for number in range(count):
            letters.append(number)
            alarm.ring()

    writer = threading.Thread(target=write)
    writer.start()
    slept = 0
    while len(letters) < count or writer.is_alive():
        before = len(letters)
        if _seconds(alarm, [], 1) >= 1 and len(letters) > before:
            slept += 1
    writer.join()
    assert slept == 0


def test_closed_one_may_be_rung(alarm: Alarm) -> None:
    """A second signal may come when its owner has stopped."""
    alarm.close()
    alarm.ring()
