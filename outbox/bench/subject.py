"""What takes part in the benchmark, and the list of those that do."""

import importlib
from typing import Protocol, cast


class Subject(Protocol):
    """A queue that does the work; each is made anew in a process and a database of its own.

    The harness calls the methods in the order below, `drain` twice. A subject takes the time
    itself, with `time.perf_counter`: connections are opened before it begins, and whatever the
    library does to a payload is within it.
    """

    @property
    def name(self) -> str:
        """The name in tables and results."""

    @property
    def version(self) -> str:
        """The version of what is measured."""

    @property
    def settings(self) -> str:
        """How it was set up, in half a sentence, for the reader of the result."""

    def setup(self, url: str) -> None:
        """Make the queue in the empty database of the URL, with the library's own means."""

    def enqueue_single(self, count: int) -> float:
        """Enqueue jobs one a commit, on one connection; return the seconds that it took."""

    def enqueue_batch(self, count: int, size: int) -> float:
        """Enqueue jobs by the library's call for many, one commit a batch; return the seconds."""

    def drain(self, count: int) -> float:
        """Work off the `count` jobs that are queued, with a handler that does nothing.

        Returns:
            Seconds from the start of the worker until the database says that all are done.
        """

    def latency(self, count: int) -> list[float]:
        """Wake an idle worker for one job at a time, as they arrive.

        Returns:
            For each job the seconds from just before the call that commits it until its handler
            was called, in the order of arrival.
        """

    def close(self) -> None:
        """Let go of what setup opened."""


OUTBOX = "outbox"
"""The subject that the others are compared with."""

SUBJECTS = {
    OUTBOX: "outbox.bench.outbox_subject:OutboxSubject",
    "bare": "outbox.bench.peers.bare:Bare",
    "claims": "outbox.bench.peers.claims:Claims",
    "pgqueuer": "outbox.bench.peers.pgqueuer:PgQueuerPeer",
    "awa": "outbox.bench.peers.awa:Awa",
    "procrastinate": "outbox.bench.peers.procrastinate:Procrastinate",
}
"""Subjects in the order of a round: where their classes are, imported only to be measured."""


class NotInstalledError(Exception):
    """The library of a subject is not installed."""


def load(name: str) -> Subject:
    """Return a new subject.

    Raises:
        NotInstalledError: A library that it needs is missing.
    """
    module, _, maker = SUBJECTS[name].partition(":")
    try:
        made = getattr(importlib.import_module(module), maker)()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "outbox":
            raise
        raise NotInstalledError(f"the module {error.name} is missing") from error
    return cast("Subject", made)
