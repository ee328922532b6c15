"""The outbox itself, with a session that costs nothing and answers at once.

Settings as in production: full history, and all that a worker does (its scheduled jobs, leases);
batches of a hundred, which is what the session takes at once.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import psycopg

from outbox.bench.workload import IDLE, PATIENCE, LostJobError, arrivals, batches, payload
from outbox.delivery.worker import plan
from outbox.log.migrate import upgrade
from outbox.release import VERSION
from outbox.session.port import Outcome, Transition
from outbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from uuid import UUID

    from outbox.bench.workload import Payload
    from outbox.session.port import Attempt, Emit, Media

_ENQUEUE = "select outbox.enqueue(%s, %s)"
_ENQUEUE_BATCH = "select id from outbox.enqueue_batch(%s)"
_LEFT = "select count(*) from outbox.notification where open"
_POLL = 0.005


class OutboxSubject:
    """An owner in a thread, and connections that enqueue."""

    name = "outbox"
    settings = "a whole worker, its owner on one connection, batches of 100, full history"

    def __init__(self) -> None:
        self.version = VERSION
        self._url = ""

    def setup(self, url: str) -> None:
        """Migrate, as `outbox migrate` does."""
        self._url = url
        upgrade(url)

    def enqueue_single(self, count: int) -> float:
        """Enqueue by one call of the SQL function a commit."""
        with self._connect() as connection:
            started = time.perf_counter()
            for number in range(count):
                to, content = _notification(payload(number))
                connection.execute(_ENQUEUE, (to, json.dumps(content)), prepare=True)
            return time.perf_counter() - started

    def enqueue_batch(self, count: int, size: int) -> float:
        """Enqueue by one call of the batch function a commit."""
        with self._connect() as connection:
            started = time.perf_counter()
            for jobs in batches(count, size):
                items = [_item(job) for job in jobs]
                connection.execute(_ENQUEUE_BATCH, (json.dumps(items),), prepare=True)
            return time.perf_counter() - started

    def drain(self, count: int) -> float:
        """Let an owner take the account and deliver until the projection has nothing open."""
        session = _CostsNothing(count)
        with self._connect() as observer:
            started = time.perf_counter()
            with _delivering(self._url, session):
                session.done.get(timeout=300)
                while _open(observer):
                    time.sleep(_POLL)
                elapsed = time.perf_counter() - started
        if session.handled != count:
            raise LostJobError(f"{session.handled} of {count} notifications were handled")
        return elapsed

    def drain_first(self, count: int) -> float:
        """Return the seconds until so many of a queue that has more have been handed over."""
        session = _CostsNothing(count)
        started = time.perf_counter()
        with _delivering(self._url, session):
            session.done.get(timeout=300)
            return time.perf_counter() - started

    def latency(self, count: int) -> list[float]:
        """Wake a parked owner by the notification that commits with the enqueue."""
        session = _CostsNothing(count)
        waited = []
        with _delivering(self._url, session), self._connect() as connection:
            time.sleep(IDLE)
            for pause, job in arrivals(count):
                time.sleep(pause)
                to, content = _notification(job)
                with connection.transaction():
                    connection.execute(_ENQUEUE, (to, json.dumps(content)), prepare=True)
                    committing = time.perf_counter()
                waited.append(session.called.get(timeout=PATIENCE) - committing)
        return waited

    def close(self) -> None:
        """Nothing is held between measures."""

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self._url, autocommit=True)


class _CostsNothing:
    """A session that is always connected, and to which everything is sent at once."""

    capacity = 100
    is_paced = False

    def __init__(self, expected: int) -> None:
        self.called: SimpleQueue[float] = SimpleQueue()
        self.done: SimpleQueue[None] = SimpleQueue()
        self.handled = 0
        self._expected = expected
        self._emit: Emit = _nobody

    def open(self, account: str, emit: Emit, media: Callable[[str], Media]) -> _CostsNothing:
        """Become the session of the account."""
        del account, media
        self._emit = emit
        return self

    def connect(self) -> None:
        """Be connected."""
        self._emit(Transition("connected"))

    def send(self, attempts: Sequence[Attempt]) -> None:
        """Say of each that it was sent."""
        self.called.put(time.perf_counter())
        for attempt in attempts:
            message_id = f"3EB0{attempt.notification.hex[:18]}"
            self._emit(Outcome(attempt.notification, attempt.number, "sent", message_id))
        self.handled += len(attempts)
        if self.handled >= self._expected:
            self.done.put(None)

    def trace(self, attempts: Sequence[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], str]:
        """Know of none: nothing is ever unknown."""
        del attempts
        return {}

    def close(self) -> None:
        """Be closed."""


@contextmanager
def _delivering(url: str, session: _CostsNothing) -> Iterator[None]:
    settings = Settings.model_validate({"DATABASE_URL": url})
    (owner,), schedule = plan(settings, session.open)
    schedule.start()
    try:
        yield
    finally:
        owner.stop()
        schedule.wait(PATIENCE)
        schedule.shutdown()


def _open(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    row = connection.execute(_LEFT).fetchone()
    return bool(row and row[0])


def _notification(job: Payload) -> tuple[str, dict[str, str]]:
    return job["to"], {"kind": job["kind"], "text": job["text"]}


def _item(job: Payload) -> dict[str, object]:
    to, content = _notification(job)
    return {"recipient": to, "content": content}


def _nobody(_event: object) -> None:
    """Hear nothing: no account has opened the session yet."""
