"""procrastinate: jobs fetched and finished one by one through SQL functions, with an event log.

Settings, the fastest of those that its documentation names: one worker with `concurrency` jobs at
a time and a pool of connections; of concurrency 1 to 100 and pools of 5 to 30 connections, 20 and
10 did best. Jobs are enqueued on a psycopg connection of the caller's (`connection=`, its way into
the caller's transaction), which was faster than its pool. Finished jobs are kept, which is the
default. It has no batches for work: each job costs a fetch and a finish, each with a commit.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

import procrastinate.jobs
import psycopg

from outbox.bench.workload import IDLE, PATIENCE, LostJobError, arrivals, batches, payload

_CONCURRENCY = 20
_POOL = 10
_TASK = "send"
_LEFT = "select count(*) from procrastinate_jobs where status in ('todo', 'doing')"

Handler = Callable[..., Awaitable[None]]


class Procrastinate:
    """A worker in an event loop of its own a measure; jobs are enqueued without one."""

    name = "procrastinate"
    settings = f"psycopg, one worker, concurrency {_CONCURRENCY}, a pool of {_POOL}"

    def __init__(self) -> None:
        self.version = version("procrastinate")
        self._url = ""

    def setup(self, url: str) -> None:
        """Apply procrastinate's schema."""
        self._url = url
        asyncio.run(self._install())

    def enqueue_single(self, count: int) -> float:
        """Enqueue by one call a job."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            job = _job(self._app(), connection)
            started = time.perf_counter()
            for number in range(count):
                job.defer(**payload(number))
            return time.perf_counter() - started

    def enqueue_batch(self, count: int, size: int) -> float:
        """Enqueue by its call for many, which is one statement."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            job = _job(self._app(), connection)
            started = time.perf_counter()
            for jobs in batches(count, size):
                job.batch_defer(*(dict[str, Any](each) for each in jobs))
            return time.perf_counter() - started

    def drain(self, count: int) -> float:
        """Run a worker that ends when no job is left."""
        return asyncio.run(self._drain(count))

    def latency(self, count: int) -> list[float]:
        """Wake a worker by the notification of procrastinate's trigger."""
        return asyncio.run(self._latency(count))

    def close(self) -> None:
        """Nothing is held between measures."""

    async def _install(self) -> None:
        async with self._app().open_async() as app:
            await app.schema_manager.apply_schema_async()

    async def _drain(self, count: int) -> float:
        handled = 0

        async def send(**_job: str) -> None:
            nonlocal handled
            handled += 1

        async with self._open(send) as app, await self._connect() as observer:
            started = time.perf_counter()
            # It returns when every job has been finished in the database.
            await app.run_worker_async(
                wait=False, concurrency=_CONCURRENCY, install_signal_handlers=False
            )
            elapsed = time.perf_counter() - started
            left = await (await observer.execute(_LEFT)).fetchone()
        if handled != count or left != (0,):
            raise LostJobError(f"{handled} of {count} jobs were handled, {left} are left")
        return elapsed

    async def _latency(self, count: int) -> list[float]:
        called: asyncio.Queue[float] = asyncio.Queue()

        async def send(**_job: str) -> None:
            called.put_nowait(time.perf_counter())

        async with self._open(send) as app, await self._connect() as producer:
            running = asyncio.create_task(
                app.run_worker_async(concurrency=_CONCURRENCY, install_signal_handlers=False)
            )
            await asyncio.sleep(IDLE)
            waited = []
            for pause, job in arrivals(count):
                await asyncio.sleep(pause)
                async with producer.transaction():
                    await _job(app, producer).defer_async(**job)
                    committing = time.perf_counter()
                waited.append(await asyncio.wait_for(called.get(), PATIENCE) - committing)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        return waited

    def _app(self) -> procrastinate.App:
        connector = procrastinate.PsycopgConnector(
            conninfo=self._url, min_size=_POOL, max_size=_POOL
        )
        return procrastinate.App(connector=connector)

    @asynccontextmanager
    async def _open(self, send: Handler) -> AsyncIterator[procrastinate.App]:
        app = self._app()
        app.task(name=_TASK)(send)
        async with app.open_async():
            yield app

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(self._url, autocommit=True)


def _job(app: procrastinate.App, connection: object) -> procrastinate.jobs.JobDeferrer:
    """Return what defers jobs on a connection of the caller's, by the name of their task."""
    return app.configure_task(_TASK, connection=connection)
