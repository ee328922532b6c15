"""A session that does what a test tells it, and an owner that works with it in a thread."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest

from outbox.delivery import evidence, owner
from outbox.delivery.owner import Owner
from outbox.session.consent import Words
from outbox.session.port import (
    Attempt,
    Consent,
    Emit,
    Media,
    Outcome,
    OutcomeType,
    Receipt,
    ReceiptType,
    Transition,
    TransitionType,
)
from outbox.settings import Settings

PATIENCE = 10.0
"""Seconds after which what has not happened never will."""


def until(happened: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait for something to happen."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.005)


class Puppet:
    """A session without a phone. It connects, and answers `sent` unless told otherwise."""

    def __init__(self) -> None:
        self.handed: list[Attempt] = []
        """Every attempt that it was handed, in order."""
        self.answers = True
        """Whether it answers each attempt with `sent` at once."""
        self.accepts = True
        """Whether it connects when told to."""
        self.connects = 0
        """How often it was told to."""
        self.closed = 0
        self.traces: dict[tuple[UUID, int], str] = {}
        self.media: Callable[[str], Media] | None = None
        self.capacity = 100
        self.is_paced = False
        self.registered: bool | None = None
        """What it says of the numbers that it is to check."""
        self.hang = threading.Event()
        """Until it is set, `send` does not return."""
        self.hang.set()
        self._emit: Emit = lambda _: None

    def open(
        self,
        account: str,  # noqa: ARG002 - the port's
        emit: Emit,
        media: Callable[[str], Media],
    ) -> "Puppet":
        """Be the session of an owner, which opens one for each of its tenures."""
        self._emit, self.media = emit, media
        return self

    # What the owner calls.

    def connect(self) -> None:
        """Connect, if it accepts to."""
        self.connects += 1
        if self.accepts:
            self.turn("connected")

    def send(self, attempts: Sequence[Attempt]) -> None:
        """Take attempts; answer them, if it answers."""
        self.hang.wait(PATIENCE)
        self.handed += attempts
        if self.answers:
            for attempt in attempts:
                self.answer(attempt, "sent")

    def trace(self, attempts: Sequence[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], str]:
        """Return the traces that the test has laid."""
        return {key: self.traces[key] for key in attempts if key in self.traces}

    def close(self) -> None:
        """Be closed; what has no outcome stays without."""
        self.closed += 1

    # What the test says.

    def turn(
        self, kind: TransitionType, reason: str = "", retry_after: float | None = None
    ) -> None:
        """Change the state of the connection."""
        self._emit(Transition(kind, reason, retry_after))

    def answer(
        self, attempt: Attempt, kind: OutcomeType, error: str | None = None, message_id: str = ""
    ) -> None:
        """Give an attempt its outcome."""
        known = message_id or (message_of(attempt) if kind in {"sent", "unknown"} else None)
        registered = self.registered if attempt.check else None
        self._emit(Outcome(attempt.notification, attempt.number, kind, known, error, registered))

    def receipt(self, message_id: str, kind: ReceiptType = "delivered") -> None:
        """Report on a message."""
        self._emit(Receipt(message_id, kind))

    def write(self, jid: str, text: str) -> None:
        """Let somebody write to the account."""
        word = Words().found(text)
        if word is not None:
            self._emit(Consent(jid, word.text, word.opts_out))

    # What the test waits for.

    def until_handed(self, count: int) -> list[Attempt]:
        """Wait until it was handed so many attempts, and return them."""
        until(lambda: len(self.handed) >= count, f"{count} attempts; there are {self.handed}")
        return self.handed

    @property
    def order(self) -> list[UUID]:
        """Whose attempts it was handed, in order."""
        return [attempt.notification for attempt in self.handed]


def message_of(attempt: Attempt) -> str:
    """Return the id of the message that an attempt sends."""
    return f"3EB0{attempt.secret.hex()[:18].upper()}"


class Driven:
    """An owner that delivers in a thread, as the scheduler would let it.

    It polls so seldom that what nothing but a poll would find fails its test.
    """

    def __init__(self, url: str, puppet: Puppet, account: str = "main", **settings: object) -> None:
        given: dict[str, Any] = {
            "DATABASE_URL": url,
            "poll_seconds": 60.0,
            "drain_seconds": 1.0,
            **settings,
        }
        self.settings = Settings(**given)
        self.puppet = puppet
        self.owner = Owner(self.settings, account, puppet.open, {"host": "test"})
        self.errors: list[Exception] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._deliver, daemon=True)
        self._thread.start()

    def _deliver(self) -> None:
        pause: float | None = 0.0
        while pause is not None and not self._stopped.wait(pause):
            try:
                pause = self.owner.deliver()
            except Exception as error:  # noqa: BLE001 - as the scheduler, it plans another pass
                self.errors.append(error)
                pause = 0.1

    @property
    def has_stopped(self) -> bool:
        """Whether its last pass is over."""
        return not self._thread.is_alive()

    def stop(self, seconds: float = PATIENCE) -> None:
        """Tell the owner to stop, and wait until it has."""
        self.owner.stop()
        self._thread.join(seconds)
        if not self.has_stopped:
            self._stopped.set()
            pytest.fail(f"the owner did not stop within {seconds} s")

    def end(self) -> None:
        """End it somehow."""
        self.puppet.hang.set()
        self.owner.stop()
        self._thread.join(3)
        self._stopped.set()
        self._thread.join(3)


@contextmanager
def driven(url: str, puppet: Puppet, account: str = "main", **settings: object) -> Iterator[Driven]:
    """Let an owner deliver, impatiently, until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, "_RETRY_SECONDS", 0.05)
        patch.setattr(owner, "_AWAY_SECONDS", 0.1)
        patch.setattr(evidence, "_SETTLE_SECONDS", 0.05)
        patch.setattr(evidence, "_HELD_SECONDS", 0.05)
        one = Driven(url, puppet, account, **settings)
        try:
            yield one
        finally:
            one.end()


def terminate(connection: psycopg.Connection, application: str) -> int:
    """End the database's end of each connection whose application's name begins so."""
    return len(
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and starts_with(application_name, %s)",
            (application,),
        ).fetchall()
    )


@contextmanager
def blocked(url: str, connection: psycopg.Connection) -> Iterator[None]:
    """Let the owner's next statement hang, and its connection be lost in the middle of it."""
    with psycopg.connect(url) as holding:
        holding.execute("lock table outbox.lease in access exclusive mode")
        yield
        until(
            lambda: connection.execute(
                "select 1 from pg_stat_activity where application_name like 'outbox owner%'"
                " and wait_event_type = 'Lock' and datname = current_database()"
            ).fetchone(),
            "the owner waits",
        )
        terminate(connection, "outbox owner")
