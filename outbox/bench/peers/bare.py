"""The least that a queue in PostgreSQL can do: `for update skip locked`, and nothing else.

No attempts, no retries, no order per recipient, no history: a job is deleted in the transaction
that hands it over, so a hundred of them cost one statement and one commit. Whatever a real queue
does comes on top; this is the floor that all of them stand on, not an alternative to them.

Settings, each the fastest found: batches of 100 as for the others; psycopg with prepared
statements, one connection; a batch is enqueued as one JSON parameter, which was faster than COPY
for a thousand rows. Only the jobs of the latency measure notify: in the other measures there is
nobody to wake.
"""

import time
from collections.abc import Callable
from importlib.metadata import version
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, LiteralString, TypeAlias

import psycopg
from psycopg.types.json import Jsonb

from outbox.bench.workload import IDLE, PATIENCE, LostJobError, Payload, arrivals, batches, payload

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

BATCH = 100
_TABLE = """
create table job (
    id bigint generated always as identity primary key,
    payload jsonb not null
)
"""
_ENQUEUE = "insert into job (payload) values (%s)"
_ENQUEUE_MANY = "insert into job (payload) select * from jsonb_array_elements(%s)"
_CLAIM = """
delete from job
where id = any(array(select id from job order by id limit %s for update skip locked))
returning payload
"""


class Bare:
    """A table, and a worker that deletes from it."""

    name = "bare"
    settings = "skip locked, delete, batches of 100, one connection, psycopg"

    table: LiteralString = _TABLE

    def __init__(self) -> None:
        self.version = f"psycopg {version('psycopg')}"
        self._url = ""

    def setup(self, url: str) -> None:
        """Make the table."""
        self._url = url
        with self._connect() as connection:
            connection.execute(self.table)

    def enqueue_single(self, count: int) -> float:
        """Enqueue by one insert a commit."""
        with self._connect() as connection:
            started = time.perf_counter()
            for number in range(count):
                connection.execute(_ENQUEUE, (Jsonb(payload(number)),), prepare=True)
            return time.perf_counter() - started

    def enqueue_batch(self, count: int, size: int) -> float:
        """Enqueue by one insert of many rows a commit."""
        with self._connect() as connection:
            started = time.perf_counter()
            for jobs in batches(count, size):
                connection.execute(_ENQUEUE_MANY, (Jsonb(jobs),), prepare=True)
            return time.perf_counter() - started

    def drain(self, count: int) -> float:
        """Claim, handle and commit batch after batch until nothing is left."""
        handled = 0
        with self._connect() as connection:
            started = time.perf_counter()
            while claimed := self.work(connection, _nothing):
                handled += claimed
            elapsed = time.perf_counter() - started
        if handled != count:
            raise LostJobError(f"{handled} of {count} jobs were handled")
        return elapsed

    def latency(self, count: int) -> list[float]:
        """Wake a worker in a thread by a notification that commits with the job."""
        called: SimpleQueue[float] = SimpleQueue()
        stop = Event()
        worker = Thread(target=self._wait_and_work, args=(called, stop), daemon=True)
        worker.start()
        time.sleep(IDLE)
        waited = []
        with self._connect() as connection:
            for pause, job in arrivals(count):
                time.sleep(pause)
                with connection.transaction():
                    connection.execute(_ENQUEUE, (Jsonb(job),), prepare=True)
                    connection.execute("notify job", prepare=True)
                    committing = time.perf_counter()
                waited.append(called.get(timeout=PATIENCE) - committing)
            stop.set()
            connection.execute("notify job")
        worker.join(PATIENCE)
        return waited

    def close(self) -> None:
        """Nothing is held between measures."""

    def work(self, connection: Connection, handle: Callable[[Payload], None]) -> int:
        """Work off the next batch in one transaction; return how many jobs it held."""
        with connection.transaction():
            claimed = connection.execute(_CLAIM, (BATCH,), prepare=True).fetchall()
            for (job,) in claimed:
                handle(job)
        return len(claimed)

    def _wait_and_work(self, called: "SimpleQueue[float]", stop: Event) -> None:
        with self._connect() as listener, self._connect() as connection:
            listener.execute("listen job")
            while not stop.is_set():
                for _ in listener.notifies(timeout=PATIENCE, stop_after=1):
                    while self.work(connection, lambda _: called.put(time.perf_counter())):
                        pass

    def _connect(self) -> Connection:
        return psycopg.connect(self._url, autocommit=True)


def _nothing(job: Payload) -> None:
    """Handle a job by doing nothing with it."""
