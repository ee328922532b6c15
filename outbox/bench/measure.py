"""One subject's share of a round, in a process and a database of its own.

A process of its own, because an event loop, a thread or an import of one library would slow down
the next; a spawned one, because a copy of the harness would bring what the harness has open.
"""

import multiprocessing
import os
import statistics
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection

from outbox.bench import database
from outbox.bench.subject import NotInstalledError, Subject, load
from outbox.bench.workload import Workload

DEADLINE = 900.0
"""Seconds that a subject may take for a round before it counts as stuck."""

_WARM_UP = 10
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Reading:
    """What was read off one subject in one round.

    Attributes:
        drain: Jobs a second worked off, from a full queue.
        enqueue_single: Jobs a second enqueued one a commit.
        enqueue_batch: Jobs a second enqueued in batches.
        latency_p50: Milliseconds from commit to handler, half of the jobs took less.
        latency_p99: The same, for 99 of 100.
    """

    drain: float
    enqueue_single: float
    enqueue_batch: float
    latency_p50: float
    latency_p99: float


@dataclass(frozen=True)
class Share:
    """A subject's share of a round: a reading, or the reason why there is none.

    Attributes:
        version: The version of what was measured.
        settings: How it was set up.
        reading: The figures; None if it could not be measured.
        installed: Whether its library is there.
        problem: Why there is no reading.
    """

    version: str = ""
    settings: str = ""
    reading: Reading | None = None
    installed: bool = True
    problem: str = ""


def share(name: str, url: str, workload: Workload) -> Share:
    """Measure one subject once, on the server of the URL."""
    with database.fresh(url, name) as own:
        receiver, sender = _SPAWN.Pipe(duplex=False)
        process = _SPAWN.Process(target=_measure, args=(sender, name, own, workload))
        process.start()
        sender.close()
        try:
            if not receiver.poll(DEADLINE):
                return Share(problem=f"not through after {DEADLINE:.0f} s")
            found = receiver.recv()
        except EOFError:
            process.join()
            return Share(problem=f"its process ended with code {process.exitcode}")
        finally:
            process.kill()
            process.join()
    if not isinstance(found, Share):
        raise TypeError(f"{name} sent {found!r} instead of its share")
    return found


def _measure(sender: Connection, name: str, url: str, workload: Workload) -> None:
    """Do the work in the subject's own process and send the share back."""
    # Standard output is for the result alone, which programs read; libraries log there, too.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    subject = None
    try:
        subject = load(name)
        subject.setup(url)
        try:
            reading = _read(subject, url, workload)
        finally:
            subject.close()
    except NotInstalledError as error:
        sender.send(Share(installed=False, problem=str(error)))
    except Exception as error:  # noqa: BLE001 - whatever a library raises is the result
        version, settings = (subject.version, subject.settings) if subject else ("", "")
        sender.send(Share(version, settings, problem=repr(error)))
    else:
        sender.send(Share(subject.version, subject.settings, reading))


def _read(subject: Subject, url: str, workload: Workload) -> Reading:
    """Take the measures; the jobs enqueued singly are worked off to warm the worker's code up."""
    database.settle(url)
    single = workload.single / subject.enqueue_single(workload.single)
    subject.drain(workload.single)
    database.settle(url)
    batch = workload.queued / subject.enqueue_batch(workload.queued, workload.batch)
    database.settle(url)
    drain = workload.queued / subject.drain(workload.queued)
    waited = subject.latency(_WARM_UP + workload.wakeups)[_WARM_UP:]
    centiles = statistics.quantiles(waited, n=100, method="inclusive")
    return Reading(drain, single, batch, centiles[49] * 1000, centiles[98] * 1000)
