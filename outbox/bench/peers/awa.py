"""awa: claims and completions appended in batches by a core in Rust, handlers in Python.

Settings: 100 workers on the queue, everything else at its default (a claim takes up to 512 jobs).
Jobs are enqueued by its own clients: the synchronous one was faster than the asynchronous for
one at a time, and `enqueue_many_copy`, which it names for many, streams them into the store.

That store is the one that a fresh database uses from the first start of a worker on (until then
jobs go through an older one), so the setup starts a worker once.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import LiteralString
from urllib.parse import quote, urlencode

import awa
import psycopg
from psycopg.conninfo import conninfo_to_dict

from outbox.bench.workload import IDLE, PATIENCE, LostJobError, arrivals, batches, payload

_WORKERS = 100
_QUEUE = "send"
_POLL = 0.005
_OPEN = "select count(*) from awa.jobs where state not in ('completed', 'failed', 'cancelled')"
_NOW = "select extract(epoch from clock_timestamp())"
_LAST = "select extract(epoch from max(finalized_at)) from awa.terminal_jobs"


@dataclass
class Send:
    """The payload as awa takes it: the class names the kind of job, its fields the arguments."""

    to: str
    kind: str
    text: str


class Awa:
    """A worker in an event loop of its own a measure; jobs are enqueued without one."""

    name = "awa"
    settings = f"{_WORKERS} workers"

    def __init__(self) -> None:
        self.version = version("awa-pg")
        self._url = ""
        self._address = ""

    def setup(self, url: str) -> None:
        """Run its migrations and let a worker settle on the store of a fresh database."""
        self._url = url
        self._address = _address(url)
        asyncio.run(self._migrate())

    def enqueue_single(self, count: int) -> float:
        """Enqueue by one call a job."""
        with awa.Client(self._address, max_connections=1) as client:
            started = time.perf_counter()
            for number in range(count):
                client.insert(Send(**payload(number)), queue=_QUEUE)
            return time.perf_counter() - started

    def enqueue_batch(self, count: int, size: int) -> float:
        """Enqueue by its call for many, which is one COPY."""
        with awa.Client(self._address, max_connections=1) as client:
            started = time.perf_counter()
            for jobs in batches(count, size):
                client.enqueue_many_copy([Send(**job) for job in jobs], queue=_QUEUE)
            return time.perf_counter() - started

    def drain(self, count: int) -> float:
        """Run a worker; the database's own record says when the last job was done.

        Its views take some 300 ms to count 20,000 jobs, which is no time to charge to awa.
        """
        return asyncio.run(self._drain(count))

    def latency(self, count: int) -> list[float]:
        """Wake a worker by awa's own notification."""
        return asyncio.run(self._latency(count))

    def close(self) -> None:
        """Nothing is held between measures."""

    async def _migrate(self) -> None:
        async def send(_job: object) -> None:
            """Never called."""

        client = awa.AsyncClient(self._address)
        await client.migrate()
        await client.close()
        async with self._worker(send):
            pass

    async def _drain(self, count: int) -> float:
        handled = 0
        all_called = asyncio.Event()

        async def send(_job: object) -> None:
            nonlocal handled
            handled += 1
            if handled == count:
                all_called.set()

        connect = psycopg.AsyncConnection.connect(self._url, autocommit=True)
        async with await connect as observer:
            started = await _number(observer, _NOW)
            async with self._worker(send):
                await all_called.wait()
                while await _number(observer, _OPEN):  # noqa: ASYNC110 - only the database knows
                    await asyncio.sleep(_POLL)
                elapsed = await _number(observer, _LAST) - started
        if handled != count:
            raise LostJobError(f"{handled} of {count} jobs were handled")
        return elapsed

    async def _latency(self, count: int) -> list[float]:
        called: asyncio.Queue[float] = asyncio.Queue()

        async def send(_job: object) -> None:
            called.put_nowait(time.perf_counter())

        producer = awa.AsyncClient(self._address, max_connections=1)
        waited = []
        async with self._worker(send):
            await asyncio.sleep(IDLE)
            for pause, job in arrivals(count):
                await asyncio.sleep(pause)
                transaction = await producer.transaction()
                await transaction.insert(Send(**job), queue=_QUEUE)
                committing = time.perf_counter()
                await transaction.commit()
                waited.append(await asyncio.wait_for(called.get(), PATIENCE) - committing)
        await producer.close()
        return waited

    @asynccontextmanager
    async def _worker(self, send: Callable[[object], Awaitable[None]]) -> AsyncIterator[None]:
        client = awa.AsyncClient(self._address)
        client.task(Send, queue=_QUEUE)(send)
        await client.start([(_QUEUE, _WORKERS)])
        try:
            yield
        finally:
            await client.shutdown()
            await client.close()


async def _number(observer: psycopg.AsyncConnection, query: LiteralString) -> float:
    """Return the number that a query selects."""
    row = await (await observer.execute(query)).fetchone()
    return float(row[0]) if row else math.nan


def _address(url: str) -> str:
    """Return the URL as awa's driver reads it: a host has to be there, even beside a socket."""
    given = conninfo_to_dict(url)
    host, port = str(given.get("host", "localhost")), given.get("port", 5432)
    user, password = quote(str(given.get("user", ""))), quote(str(given.get("password", "")))
    options = {"host": host} if host.startswith("/") else {}
    if "sslmode" in given:
        options["sslmode"] = str(given["sslmode"])
    place = f"localhost:{port}" if host.startswith("/") else f"{host}:{port}"
    login = ":".join(part for part in (user, password) if part)
    return f"postgresql://{login}@{place}/{given['dbname']}?{urlencode(options)}"
