"""The thread of a session does everything in one order."""

import threading
import time
from collections.abc import Iterator

import pytest

from outbox.session.phone.loop import Loop


class Work:
    """Work that only notes what it is asked for."""

    def __init__(self) -> None:
        self.over = False
        self.ticks: list[float] = []
        self.failures: list[str] = []

    def patience(self) -> float | None:
        """Have nothing to do by the clock."""
        return None

    def serve(self, *, readable: bool, writable: bool) -> None:
        """Have no socket."""
        raise AssertionError(readable, writable)

    def tick(self, now: float) -> None:
        """Note the clock."""
        self.ticks.append(now)

    def fail(self, error: Exception) -> None:
        """Note the error."""
        self.failures.append(str(error))

    def finish(self) -> None:
        """Be over."""
        self.over = True


@pytest.fixture
def work() -> Work:
    """What the loop works for."""
    return Work()


@pytest.fixture
def loop(work: Work) -> Iterator[Loop]:
    """A loop in a thread of its own, which ends with the test."""
    loop = Loop()
    thread = threading.Thread(target=loop.run, args=(work,))
    thread.start()
    yield loop
    if thread.is_alive():
        loop.tell(work.finish)
    thread.join(10)
    assert not thread.is_alive()
    loop.close()


def test_in_order(loop: Loop) -> None:
    """Commands are done one after the other, as they were told."""
    done: list[int] = []
    last = threading.Event()
    for n in range(1000):
        loop.tell(lambda n=n: done.append(n))  # type: ignore[misc]
    loop.tell(last.set)
    assert last.wait(10)
    assert done == list(range(1000))


def test_the_clock_is_asked_before_the_commands(loop: Loop, work: Work) -> None:
    """The time that a command takes does not make anything overdue: it is not in `tick`'s clock."""
    began: list[float] = []
    ended = threading.Event()

    def slow() -> None:
        began.append(time.monotonic())
        time.sleep(0.05)

    loop.tell(slow)
    loop.tell(lambda: loop.tell(ended.set))
    assert ended.wait(10)
    assert work.ticks[0] <= began[0]


def test_the_last_command_may_be_done_before_its_caller_is_back() -> None:
    """When the work is over, whoever told the last command can still finish telling it."""
    loop, work = Loop(), Work()
    loop.tell(work.finish)
    loop.run(work)
    loop.tell(work.finish)
    loop.close()


def test_an_error_stops_neither_the_thread_nor_the_next_command(
    loop: Loop, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    """After an error that nobody foresaw the work gives up what it did, and goes on."""
    go, done = threading.Event(), threading.Event()

    def fail() -> None:
        go.wait(10)
        raise LookupError("unforeseen")

    loop.tell(fail)
    loop.tell(done.set)
    go.set()
    assert done.wait(10)
    assert work.failures == ["unforeseen"]
    assert "unforeseen" in caplog.text
