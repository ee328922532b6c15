"""pgqueuer: jobs claimed by `for update skip locked`, deleted when done, with a log row a step.

Settings, the fastest of those that its documentation names: the asyncpg driver, in the event loop
of uvloop, which its own `pgq run` and its own benchmark use; batches of 100 instead of 10, as its
guide on performance says for short jobs; one connection for the worker, as the guide says. Pools,
two or three workers, and batches of 500 were tried and were no faster on two cores. The level of
durability is the default, `durable`.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, TypeVar

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode
from psycopg.conninfo import conninfo_to_dict

from outbox.bench.workload import IDLE, PATIENCE, LostJobError, Payload, arrivals, batches, payload

_BATCH = 100
_POLL = 0.005
_LEFT = "select count(*) from pgqueuer"
"""A job leaves the table in the statement that logs it as done."""

_Found = TypeVar("_Found")
_NAMES = {"host": "host", "port": "port", "user": "user", "password": "password"}
"""libpq's names of what a connection needs, and asyncpg's."""


class PgQueuerPeer:
    """A worker and an enqueuing connection, each in an event loop of its own a measure."""

    name = "pgqueuer"
    settings = "asyncpg, uvloop, one worker on one connection, batches of 100"

    def __init__(self) -> None:
        self.version = version("pgqueuer")
        self._url = ""

    def setup(self, url: str) -> None:
        """Install pgqueuer's tables, as `pgq install` does."""
        self._url = url
        _run(self._install())

    def enqueue_single(self, count: int) -> float:
        """Enqueue by one call a job."""
        return _run(self._enqueue_single(count))

    def enqueue_batch(self, count: int, size: int) -> float:
        """Enqueue by one call with lists, which is one statement."""
        return _run(self._enqueue_batch(count, size))

    def drain(self, count: int) -> float:
        """Run a worker in its mode for draining; its log is flushed in batches, too."""
        return _run(self._drain(count))

    def latency(self, count: int) -> list[float]:
        """Wake a worker by the notification of pgqueuer's trigger."""
        return _run(self._latency(count))

    def close(self) -> None:
        """Nothing is held between measures."""

    async def _install(self) -> None:
        async with self._connect() as connection:
            await Queries(AsyncpgDriver(connection)).install()

    async def _enqueue_single(self, count: int) -> float:
        async with self._connect() as connection:
            queries = Queries(AsyncpgDriver(connection))
            started = time.perf_counter()
            for number in range(count):
                await queries.enqueue("send", _encoded(payload(number)))
            return time.perf_counter() - started

    async def _enqueue_batch(self, count: int, size: int) -> float:
        async with self._connect() as connection:
            queries = Queries(AsyncpgDriver(connection))
            started = time.perf_counter()
            for jobs in batches(count, size):
                encoded: list[bytes | None] = [_encoded(job) for job in jobs]
                await queries.enqueue(["send"] * len(jobs), encoded, [0] * len(jobs))
            return time.perf_counter() - started

    async def _drain(self, count: int) -> float:
        handled = 0
        all_called = asyncio.Event()

        async def send(_job: Job) -> None:
            nonlocal handled
            handled += 1
            if handled == count:
                all_called.set()

        async with self._connect() as connection, self._connect() as observer:
            worker = PgQueuer(AsyncpgDriver(connection))
            worker.entrypoint("send")(send)
            started = time.perf_counter()
            running = asyncio.create_task(
                worker.run(batch_size=_BATCH, mode=QueueExecutionMode.drain)
            )
            calls = asyncio.create_task(all_called.wait())
            await asyncio.wait({calls, running}, return_when=asyncio.FIRST_COMPLETED)
            while await observer.fetchval(_LEFT) and not running.done():  # noqa: ASYNC110 - see _LEFT
                await asyncio.sleep(_POLL)
            elapsed = time.perf_counter() - started
            calls.cancel()
            await running
            left = await observer.fetchval(_LEFT)
        if handled != count or left:
            raise LostJobError(f"{handled} of {count} jobs were handled, {left} are left")
        return elapsed

    async def _latency(self, count: int) -> list[float]:
        called: asyncio.Queue[float] = asyncio.Queue()

        async def send(_job: Job) -> None:
            called.put_nowait(time.perf_counter())

        async with self._connect() as connection, self._connect() as producer:
            worker = PgQueuer(AsyncpgDriver(connection))
            worker.entrypoint("send")(send)
            running = asyncio.create_task(worker.run(batch_size=_BATCH))
            await asyncio.sleep(IDLE)
            queries = Queries(AsyncpgDriver(producer))
            waited = []
            for pause, job in arrivals(count):
                await asyncio.sleep(pause)
                transaction = producer.transaction()
                await transaction.start()
                await queries.enqueue("send", _encoded(job))
                committing = time.perf_counter()
                await transaction.commit()
                waited.append(await asyncio.wait_for(called.get(), PATIENCE) - committing)
            worker.shutdown.set()
            await running
        return waited

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Any]:
        """Connect with asyncpg, which reads the URL of a Unix socket otherwise than libpq."""
        given = conninfo_to_dict(self._url)
        arguments = {_NAMES[name]: value for name, value in given.items() if name in _NAMES}
        connection = await asyncpg.connect(
            database=given["dbname"], ssl=given.get("sslmode"), **arguments
        )
        try:
            yield connection
        finally:
            await connection.close()


def _run(measure: Coroutine[Any, Any, _Found]) -> _Found:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(measure)


def _encoded(job: Payload) -> bytes:
    return json.dumps(job).encode()
