"""The named points on the way of the data at which a worker kills itself.

Nothing of the product knows of them: the functions at its seams are wrapped, in the killed worker
alone. Around what writes to the database there are three points: `before`, `during` (the
statements have run, nothing is committed) and `after` (committed, the answer is there).
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from outbox.delivery import owner, reconnection, tenure
from outbox.log import attempts, lease, queue
from outbox.log.database import Connection
from outbox.session.phone.wire import Wire
from outbox.session.port import Outcome, SessionEvent
from outbox.session.simulated import SimulatedSession

WRITES = (
    "acquire",  # the lease is taken
    "connecting",  # the session is about to connect
    "connected",  # it has, and the log is told
    "start",  # attempts become durable; after: not handed to the session yet
    "record",  # outcomes are recorded
    "receipts",  # receipts are recorded
    "settle",  # the policy settles what no evidence has
    "draining",  # SIGTERM has come
    "release",  # the lease is given back
)
POINTS = (
    *(f"{when} {what}" for what in WRITES for when in ("before", "during", "after")),
    "after load",  # the memory is built, nothing is sent yet
    "after trace",  # the trace has left, the frame has not
    "after frame",  # the frame has left, no acknowledgement has been read
    "after acknowledgement",  # it has been read, and is not recorded
    "after question",  # the traces of unknown attempts are known, nothing of it is recorded
)

_ARRIVAL_SECONDS = 0.03
"""In which the phone reads what was written to it; bytes that a kill resets would prove nothing."""


_SLEEP = "sleep "
"""Before a point's name: there the worker does not die, it sleeps until SIGCONT."""


class Point:
    """The point at which this process dies or falls asleep, at its nth passage."""

    def __init__(self, name: str | None, passage: int) -> None:
        self._signal = signal.SIGKILL
        if name is not None and name.startswith(_SLEEP):
            self._signal, name = signal.SIGSTOP, name.removeprefix(_SLEEP)
        if name is not None and name not in POINTS:
            raise ValueError(f"there is no point {name!r}")
        self.name = name
        self._left = passage

    def passed(self, name: str, times: int = 1) -> None:
        """Die here, if this is the point and its passage the nth."""
        if name == self.name and self.comes_within(times):
            self.name = None
            os.kill(os.getpid(), self._signal)
            time.sleep(0.5)  # a signal to oneself may take a moment

    def comes_within(self, times: int) -> bool:
        """Count so many passages, and say whether the nth is among them."""
        self._left -= times
        return self._left <= 0


def arm(point: Point) -> None:
    """Wrap the seams of this process."""
    _around(point, lease, "acquire", lambda _: ["acquire"])
    _around(point, lease, "release", lambda _: ["release"])
    _around(point, attempts, "exchange", _exchange)
    _around(point, attempts, "record_receipts", lambda _: ["receipts"])
    _around(point, attempts, "settle_unconfirmed", lambda _: ["settle"])
    for module in (owner, reconnection):
        _around(point, module, "record_transition", lambda given: [given[2]])
    _after(point, queue, "waiting", "after load")
    _after(point, SimulatedSession, "trace", "after question")
    _frames(point)
    _acknowledgements(point)


def _exchange(given: Sequence[object]) -> list[str]:
    _, _, results, notifications = given
    return ["record"] * bool(results) + ["start"] * bool(notifications)


def _around(
    point: Point, module: ModuleType, name: str, writes: Callable[[Sequence[Any]], list[str]]
) -> None:
    original = getattr(module, name)

    def wrapped(connection: Connection, *given: object, **named: object) -> object:
        what = writes(given)
        for one in what:
            point.passed(f"before {one}")
        if point.name in {f"during {one}" for one in what}:
            with connection.transaction():
                answer = original(connection, *given, **named)
                point.passed(point.name)
        else:
            answer = original(connection, *given, **named)
        for one in what:
            point.passed(f"after {one}")
        return answer

    setattr(module, name, wrapped)


def _after(point: Point, module: ModuleType | type, name: str, passage: str) -> None:
    original = getattr(module, name)

    def wrapped(*given: object, **named: object) -> object:
        answer = original(*given, **named)
        point.passed(passage)
        return answer

    setattr(module, name, wrapped)


def _frames(point: Point) -> None:
    """Cut what a session writes behind a trace, or behind a frame."""
    push = Wire.push

    def wrapped(wire: Wire, data: bytes) -> None:
        lines = data.splitlines(keepends=True)
        kind = {"after trace": b'"trace"', "after frame": b'"frame"'}.get(point.name or "")
        for number, line in enumerate(lines, 1):
            if kind is not None and kind in line[:30] and point.comes_within(1):
                push(wire, b"".join(lines[:number]))
                while wire.backlog:
                    wire.flush()
                time.sleep(_ARRIVAL_SECONDS)
                os.kill(os.getpid(), signal.SIGKILL)
        push(wire, data)

    setattr(Wire, "push", wrapped)  # noqa: B010  # mypy forbids the plain assignment


def _acknowledgements(point: Point) -> None:
    emit = tenure.Tenure._emit

    def wrapped(one: tenure.Tenure, event: SessionEvent) -> None:
        if isinstance(event, Outcome) and event.type == "sent":
            point.passed("after acknowledgement")
        emit(one, event)

    setattr(tenure.Tenure, "_emit", wrapped)  # noqa: B010  # as above
