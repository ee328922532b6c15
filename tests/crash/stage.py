"""The stage of a crash test: a database, a phone, an account, and workers to kill."""

import json
import multiprocessing
import os
import random
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from uuid import UUID

import psutil
import psycopg
import pytest

from outbox.session.phone import Frame, Ledger, Phone
from tests.crash.worker import main

PATIENCE = 20.0
"""Seconds after which what has not happened never will."""

# Each worker is forked from a process that has imported everything, and so is there at once.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.crash.worker"])


class Stage(ABC):
    """One run: what it accepted, whom it killed; without what is on the session's other side.

    Args:
        url: A database at the newest revision, for this run alone.
        account: The account's name.
        seed: Of everything that is drawn by lot.
        folder: Where the workers' logs go.
    """

    def __init__(self, url: str, account: str, seed: int, folder: Path) -> None:
        self.url = url
        self.account = account
        self.folder = folder
        self.lots = random.Random(f"{account} {seed}")  # noqa: S311  # to be repeated
        self.accepted: list[UUID] = []
        self.lease_seconds = 1.0
        self._workers: list[BaseProcess] = []
        self.connect()
        self.policy(grace="100 milliseconds", retry_after="50 milliseconds", max_attempts=1000)

    def connect(self) -> None:
        """Connect to the database, also after it was away."""
        self.database = psycopg.connect(self.url, autocommit=True)

    def policy(self, **policy: object) -> None:
        """Change the policy of all accounts."""
        for name, value in policy.items():
            self.database.execute(
                psycopg.sql.SQL("update outbox.policy set {} = %s").format(
                    psycopg.sql.Identifier(name)
                ),
                (value,),
            )

    # The other side.

    @abstractmethod
    def frames(self) -> Sequence[Frame]:
        """Return what arrived, by the other side's own ledger."""

    @abstractmethod
    def session(self) -> Mapping[str, str]:
        """Return what tells a worker where its session connects to, as an environment."""

    # Callers.

    def enqueue(self, count: int, recipients: int = 10, **options: object) -> list[UUID]:
        """Enqueue so many notifications in one transaction, recipients taking turns."""
        before = len(self.accepted)
        items = [
            {
                "recipient": f"+4477009{number % recipients:05d}",
                "content": {"kind": "text", "text": f"order {number} shipped"},
                **options,
            }
            for number in range(before, before + count)
        ]
        rows = self.database.execute(
            "select id from outbox.enqueue_batch(%s, %s)", (json.dumps(items), self.account)
        ).fetchall()
        ids = [row[0] for row in rows]
        self.accepted += ids
        return ids

    def enqueue_mix(self, count: int) -> None:
        """Enqueue in batches and one by one, some at most once, some with priority."""
        while count > 0:
            size = min(self.lots.choice([1, 1, 5, 20]), count)
            self.enqueue(
                size,
                priority=self.lots.choice([0, 0, 0, 7]),
                on_unknown=self.lots.choice(["resend", "resend", "resend", "hold"]),
            )
            count -= size

    # Workers.

    def worker(self, point: str | None = None, passage: int = 1, **settings: object) -> BaseProcess:
        """Start a worker, armed or not."""
        environment = {
            "DATABASE_URL": self.url,
            "OUTBOX_ACCOUNTS": self.account,
            **self.session(),
            "OUTBOX_LEASE_SECONDS": str(self.lease_seconds),
            "OUTBOX_POLL_SECONDS": "60",
            **{f"OUTBOX_{name.upper()}": str(value) for name, value in settings.items()},
        }
        log = str(self.folder / f"worker-{len(self._workers) + 1}.log")
        worker = _processes.Process(target=main, args=(environment, log, point, passage))
        worker.start()
        self._workers.append(worker)
        return worker

    def dies(self, worker: BaseProcess) -> None:
        """Wait until a worker has killed itself."""
        worker.join(PATIENCE)
        if worker.exitcode != -signal.SIGKILL:
            self.fail(f"the worker did not come to its point: {worker.exitcode}")

    def kill(self, worker: BaseProcess) -> None:
        """Kill a worker, which is dead on return."""
        worker.kill()
        worker.join()

    def stop(self, worker: BaseProcess) -> None:
        """Tell a worker to stop and see that it does, in peace."""
        self.up(worker)
        worker.terminate()
        worker.join(PATIENCE)
        if worker.exitcode != 0:
            self.fail(f"the worker did not stop in peace: {worker.exitcode}")

    def up(self, worker: BaseProcess) -> None:
        """Wait until a worker can be told to stop."""
        log = self.folder / f"worker-{self._workers.index(worker) + 1}.log"
        self.until(lambda: log.exists() and "started" in log.read_text(), "the worker is up")

    def is_asleep(self, worker: BaseProcess) -> bool:
        """Whether a worker was stopped by SIGSTOP."""
        return psutil.Process(worker.pid).status() == psutil.STATUS_STOPPED

    def signal(self, worker: BaseProcess, number: signal.Signals) -> None:
        """Send a worker a signal."""
        if worker.pid is not None:
            os.kill(worker.pid, number)

    def lapse(self) -> None:
        """Let the lease of a worker that is dead be over at once, as if its time had passed."""
        self.database.execute(
            "update outbox.lease set until = statement_timestamp() where account = %s",
            (self.account,),
        )

    def resume(self) -> None:
        """Let the account connect at once, as an operator may, instead of waiting its turn."""
        if self.database.execute("select 1 from outbox.connection").fetchone():
            self.database.execute("select outbox.resume(%s)", (self.account,))

    def terminate(self, application: str) -> int:
        """End the database's end of each connection whose application's name begins so."""
        return len(
            self.database.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and starts_with(application_name, %s)",
                (application,),
            ).fetchall()
        )

    # What happens meanwhile.

    def count(self, *states: str) -> int:
        """Return how many notifications are in these states."""
        row = self.database.execute(
            "select count(*) from outbox.notification where account = %s and state = any(%s)",
            (self.account, list(states)),
        ).fetchone()
        return int(row[0]) if row else 0

    def until(self, happened: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
        """Wait for something to happen."""
        deadline = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > deadline:
                self.fail(f"not within {seconds} s: {what}")
            time.sleep(0.01)

    def settled(self) -> None:
        """Wait until nothing is open but what left a trace and is held for an operator."""

        def nothing_open() -> bool:
            return not self.database.execute(
                "select 1 from outbox.notification where open and not"
                " (unsettled and on_unknown = 'hold' and message_id is not null) limit 1"
            ).fetchone()

        self.until(nothing_open, "every notification has ended")

    def finish(self) -> None:
        """Let a worker that nobody kills do what is left, and stop it when all is said."""
        self.lapse()
        worker = self.worker()
        self.settled()
        self.stop(worker)
        for other in self._workers:
            other.join(PATIENCE)
            if other.exitcode is None:
                self.fail("a worker that was told to stop has not")

    def fail(self, why: str) -> None:
        """Fail with everything that may explain it."""
        states = self.database.execute(
            "select state, count(*) from outbox.notification group by 1"
        ).fetchall()
        connection = self.database.execute("select * from outbox.connection").fetchall()
        logs = "".join(
            f"--- {log.name}\n{log.read_text()[-1500:]}"
            for log in sorted(self.folder.glob("worker-*.log"))
        )
        pytest.fail(f"{why}\nstates {states}\nconnection {connection}\n{logs}")

    def close(self) -> None:
        """End every worker that still lives."""
        for worker in self._workers:
            if worker.is_alive():
                worker.kill()
            worker.join()
        self.database.close()


class SimulatedStage(Stage):
    """A run with the phone.

    Args:
        url: A database at the newest revision, for this run alone.
        phone: The phone; the run uses an account of its own.
        account: The account's name.
        seed: Of everything that is drawn by lot.
        folder: Where the workers' logs go.
    """

    def __init__(self, url: str, phone: Phone, account: str, seed: int, folder: Path) -> None:
        self.phone = phone
        self.capacity = 20
        self.patience = 75.0
        """Seconds in which a session waits for an acknowledgement."""
        super().__init__(url, account, seed, folder)

    def frames(self) -> Sequence[Frame]:
        """Return what arrived, by the phone's ledger."""
        return [f for f in Ledger.read(self.phone.ledger) if f.account == self.account]

    def session(self) -> Mapping[str, str]:
        """Return where the phone is."""
        return {
            "OUTBOX_SESSION": f"{self.phone.url}?capacity={self.capacity}&close_within=1"
            f"&acknowledge_within={self.patience}"
        }
