"""How much faster the log is replayed than it was appended, and in how much memory.

`python -m tests.deployment.replaying [EVENTS [BATCH]]` lets `outbox.enqueue_batch` accept
notifications, a batch a commit, and a whole worker deliver them over a session that costs nothing
(the subject of `outbox bench`), by turns, 20,000 at a time: three events each, a million unless
told otherwise. How long a worker takes to stop is not counted. What the worker has not sealed by
then is sealed. Then it rebuilds the projections, compares them with the live ones, verifies the
seals, and prints as JSON what each took, the ratio of appending to replaying and of replaying to
verifying, and the peaks of memory of this process and of its backend, the server's shared buffers
left out.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from outbox import logs
from outbox.bench.outbox_subject import OutboxSubject
from outbox.log.replay import differences, scratch
from outbox.log.seal import seal
from outbox.log.verify import Verification, verify
from tests.databases import database, embedded_server

if TYPE_CHECKING:
    from collections.abc import Iterator

_EACH = 3
"""Events of a notification: enqueued, attempt_started, sent."""
_ROUND = 20_000
"""Notifications that are enqueued, then delivered, before the next are."""


def main(events: int = 1_000_000, batch: int = 1000) -> None:
    """Measure, and print what came out."""
    logs.configure("text", "warning")
    with ExitStack() as stack:
        postgres = os.environ.get("DATABASE_URL") or stack.enter_context(embedded_server())
        url = stack.enter_context(database(postgres, "replaying"))
        subject = OutboxSubject()
        subject.setup(url)
        enqueueing = delivering = 0.0
        for _ in range(-(-events // (_EACH * _ROUND))):
            enqueueing += subject.enqueue_batch(_ROUND, batch)
            delivering += subject.drain(_ROUND)
        connection = stack.enter_context(psycopg.connect(url, autocommit=True))
        row = connection.execute("select count(*) from outbox.event").fetchone()
        appended = row[0] if row else 0
        began = time.perf_counter()
        sealed = sum(made.events for made in seal(connection))
        sealing = time.perf_counter() - began
        with _memory(connection.info.backend_pid) as memory:
            began = time.perf_counter()
            with scratch(connection) as schema:
                replaying = time.perf_counter() - began
                found = sum(1 for _ in differences(connection, schema))
                checking = time.perf_counter() - began - replaying
            began = time.perf_counter()
            verification = Verification()
            found += sum(1 for _ in verify(connection, verification))
            verifying = time.perf_counter() - began
    live = enqueueing + delivering
    summary = {
        "appended_by": f"enqueue_batch of {batch}, and {subject.settings}",
        "events": appended,
        "enqueueing_seconds": round(enqueueing, 2),
        "delivering_seconds": round(delivering, 2),
        "replaying_seconds": round(replaying, 2),
        "comparing_seconds": round(checking, 2),
        "sealing_seconds": round(sealing, 2),
        "sealed_then": sealed,
        "verifying_seconds": round(verifying, 2),
        "verified": verification.events,
        "differences_and_findings": found,
        "appended_a_second": round(appended / live),
        "replayed_a_second": round(appended / replaying),
        "ratio": round(live / replaying, 2),
        "replaying_to_verifying": round(replaying / verifying, 2),
        "memory_mb": memory,
    }
    print(json.dumps(summary, indent=2))  # noqa: T201  # it is a program


@contextmanager
def _memory(backend: int) -> Iterator[dict[str, dict[str, float]]]:
    """Hand out what holds the megabytes before and at the peak, once the block has ended.

    Of the backend only where the server is on this machine and belongs to this user.
    """
    watched = {"python": os.getpid(), "backend": backend}
    found: dict[str, dict[str, float]] = {name: {} for name in watched}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            for name, process in watched.items():
                now = _private(process)
                if now is not None:
                    found[name].setdefault("before", now)
                    found[name]["peak"] = max(found[name].get("peak", 0), now)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def _private(process: int) -> float | None:
    """Return the megabytes that a process holds for itself, from Linux's own account of it."""
    try:
        status = Path(f"/proc/{process}/status").read_text("ascii")
    except OSError:
        return None
    kilobytes = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:")]
    return round(int(kilobytes[0]) / 1024, 1) if kilobytes else None


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
