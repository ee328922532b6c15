"""A session of the product's with everything that it tells, and the logins that it finds."""

from __future__ import annotations

import time
from threading import Condition
from types import MappingProxyType
from typing import TYPE_CHECKING
from uuid import uuid4

import psutil

from outbox.session.port import (
    Attempt,
    Media,
    Outcome,
    Receipt,
    SessionEvent,
    Transition,
    TransitionType,
)
from outbox.session.whatsapp.session import WhatsappSession, open_whatsapp
from tests.whatsapp.processes import session_processes
from tests.whatsapp.trusting import TRUSTING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from outbox.session.whatsapp.store import Store

PATIENCE = 20.0
FRIEND = "31600900001@s.whatsapp.net"


class Logins:
    """A store that knows one device, or none, and no traces."""

    def __init__(self, jid: str | None, url: str = "") -> None:
        self._jid = jid
        self._url = url

    def device(self, _account: str) -> tuple[str, str] | None:
        """Return it."""
        return None if self._jid is None else (self._jid, self._url)

    def traces(self, _account: str, _secrets: Sequence[bytes]) -> Mapping[bytes, str]:
        """Return nothing."""
        return {}


class Listener:
    """A session, and what it has told so far.

    Args:
        store: Where its login is.
        options: Behind the ? of its URL.
        program: What its processes run.
        account: Its name, by which its threads are called.
        media: Describes media.
    """

    def __init__(
        self,
        store: Store,
        options: str = "",
        *,
        program: Sequence[str] = TRUSTING,
        account: str = "main",
        media: Callable[[str], Media] | None = None,
    ) -> None:
        self.events: list[SessionEvent] = []
        self.files: dict[str, bytes] = {}
        """Media that it finds, unless there is something else to describe them."""
        self._changed = Condition()
        self._program = program
        opener = open_whatsapp(f"whatsapp:?{options}", store, program=program)
        session = opener(account, self._hear, media or self._file)
        assert isinstance(session, WhatsappSession)
        self.session = session

    def _hear(self, event: SessionEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def _file(self, digest: str) -> Media:
        data = self.files[digest]
        return Media("text/plain", len(data), [data])

    def connect(self) -> psutil.Process:
        """Connect, and return the process that has."""
        nth = len(self.transitions("connected")) + 1
        self.session.connect()
        self.transition("connected", nth)
        return self.process()

    def process(self) -> psutil.Process:
        """Wait until a process has been started, and return it."""
        deadline = time.monotonic() + PATIENCE
        while not (found := self.processes()):
            assert time.monotonic() < deadline, "no process was started"
            time.sleep(0.01)
        return found[0]

    def processes(self) -> list[psutil.Process]:
        """Return the processes that run for the session, or for another one like it."""
        return session_processes(program=self._program)

    def send(
        self,
        to: str = FRIEND,
        *,
        check: bool = False,
        content: Mapping[str, object] = MappingProxyType({"kind": "text", "text": "Hi"}),
    ) -> Attempt:
        """Hand over an attempt."""
        attempt = Attempt(uuid4(), 1, to, content, check)
        self.session.send([attempt])
        return attempt

    def transitions(self, kind: TransitionType | None = None) -> list[Transition]:
        """Return the transitions so far, of one kind or of all."""
        with self._changed:
            told = [event for event in self.events if isinstance(event, Transition)]
        return [one for one in told if kind in {None, one.type}]

    def transition(self, kind: TransitionType, nth: int = 1) -> Transition:
        """Wait for the nth transition of this kind."""
        self._wait(lambda: len(self.transitions(kind)) >= nth, f"transition {nth} to {kind}")
        return self.transitions(kind)[nth - 1]

    def end(self) -> Transition:
        """Wait for the end of the connection, whatever it is."""
        self._wait(lambda: self.transitions()[-1:] not in ([], self.transitions("connected")[-1:]))
        return self.transitions()[-1]

    def outcome(self, of: Attempt) -> Outcome:
        """Wait for the outcome of this attempt, of which there may be one only."""
        self._wait(lambda: bool(self._outcomes(of)), f"outcome of {of}")
        [found] = self._outcomes(of)
        return found

    def receipts(self, count: int) -> list[Receipt]:
        """Wait for so many receipts, and return all that there are."""
        self._wait(lambda: len(self._receipts()) >= count, f"{count} receipts")
        return self._receipts()

    def close(self) -> float:
        """Close the session, and return how many seconds that took."""
        before = time.monotonic()
        self.session.close()
        return time.monotonic() - before

    def _receipts(self) -> list[Receipt]:
        with self._changed:
            return [event for event in self.events if isinstance(event, Receipt)]

    def _outcomes(self, of: Attempt) -> list[Outcome]:
        with self._changed:
            return [
                event
                for event in self.events
                if isinstance(event, Outcome)
                and (event.notification, event.number) == (of.notification, of.number)
            ]

    def _wait(self, is_so: Callable[[], bool], what: str = "the end") -> None:
        with self._changed:
            if not self._changed.wait_for(is_so, PATIENCE):
                raise TimeoutError(f"{what} did not come within {PATIENCE} s, but {self.events}")


def wait_gone(process: psutil.Process) -> None:
    """Return as soon as a process is gone, which its parent need not have noticed."""
    deadline = time.monotonic() + PATIENCE
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"{process} still runs"
        time.sleep(0.02)
