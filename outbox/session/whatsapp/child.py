"""One session process, from its start to its end: a process serves one connection and no more.

neonize runs Go inside the process: it crashes on some errors, hangs in dials and stops, goes deaf
when WhatsApp says a word that it does not know, leaks a database connection each time it connects,
and reconnects by itself without a word. With one process a connection all of this is one case: the
process is gone, or is killed because a watchdog has given it up, and the end is told with its
reason.

What the process says it says at once, before it acts: that it hands a message to whatsmeow now,
that the connection is over. So a process that dies leaves behind what had been begun.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict
from typing import IO, TYPE_CHECKING
from uuid import UUID

import structlog

from outbox.session.port import Consent, Outcome, Receipt, Transition
from outbox.session.whatsapp.channel import pair
from outbox.session.whatsapp.courier import Courier
from outbox.session.whatsapp.errors import classify, classify_prepared, without_numbers
from outbox.session.whatsapp.flight import Flight

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from outbox.session.consent import Words
    from outbox.session.port import Attempt, Emit, Media
    from outbox.session.whatsapp.channel import Channel, Said
    from outbox.session.whatsapp.options import Options
    from outbox.session.whatsapp.store import Store

_LOOK_SECONDS = 1.0
"""How often the watchdogs look."""
_STOP_SECONDS = 2.0
"""What a process may take to end that was told to, before it is killed."""
_GO_MEMORY = "64MiB"
"""From where on Go collects its garbage eagerly (https://go.dev/doc/gc-guide#Memory_limit).

A document of 64 MiB then lets the process grow to 271 MiB and shrink to 130 again, instead of
growing to 401.
"""
_COMPLAINTS = 20
"""How many lines of what the process complained of are kept."""
_FATAL = ("panic:", "fatal error:", "SIG")
"""What a line of Go's last words holds that says why."""


class Child:
    """A session process, which lives from now on; its threads end with it.

    Args:
        account: The account.
        options: How patient to be.
        program: What the process runs: a module and its arguments.
        store: Where the account's login is.
        words: By which people opt out and in.
        emit: Takes what happens.
        media: Describes media by digest.
    """

    def __init__(
        self,
        account: str,
        options: Options,
        program: Sequence[str],
        store: Store,
        words: Words,
        emit: Emit,
        media: Callable[[str], Media],
    ) -> None:
        self.is_up = False
        """Connected, and takes attempts."""
        self.is_over = False
        """Ended: its last events are being emitted."""
        self._account = account
        self._options = options
        self._program = program
        self._store = store
        self._words = words
        self._emit = emit
        self._log = structlog.get_logger().bind(account=account)
        self._gate = threading.Lock()
        self._flight = Flight(
            prepare_within=options.prepare_within, acknowledge_within=options.acknowledge_within
        )
        self._courier = Courier(f"session {account} courier", media, self._land)
        self._complaints: deque[str] = deque(maxlen=_COMPLAINTS)
        self._memory = 0
        self._stop_at: float | None = None
        self._thread = threading.Thread(target=self._live, name=f"session {account}", daemon=True)
        self._thread.start()

    @property
    def thread(self) -> threading.Thread:
        """The thread that emits its events."""
        return self._thread

    def send(self, attempts: Sequence[Attempt]) -> None:
        """Take these attempts; without a connection each ends as `not_sent`."""
        with self._gate:
            if self.is_up:
                self._flight.take(attempts)
                for attempt in attempts:
                    self._courier.take(attempt)
                return
        for attempt in attempts:
            self._emit(Outcome(attempt.notification, attempt.number, "not_sent"))

    def close(self) -> None:
        """Wait for what is being sent, as long as the options say, and end the process."""
        self._stop_at = time.monotonic() + self._options.close_within
        self._courier.stop()
        self._thread.join()

    # The life of the process.

    def _live(self) -> None:
        try:
            end = self._serve()
        except Exception as error:  # noqa: BLE001  # a session that ends must say so
            self._log.exception("the session cannot be supervised")
            reason = without_numbers(f"the session cannot be supervised: {error!r}")
            end = Transition("disconnected", reason)
        with self._gate:
            self.is_up, self.is_over = False, True
            outcomes = self._flight.crash(end.reason)
        self._courier.stop()
        for outcome in outcomes:
            self._emit(outcome)
        self._emit(end)

    def _serve(self) -> Transition:
        """Run the process until it ends, and say how it ended."""
        try:
            device = self._store.device(self._account)
        except ConnectionError as error:
            return Transition("disconnected", f"the login cannot be read: {error}")
        if device is None:
            return Transition("logged_out", "the account is not paired")
        jid, url = device
        channel, theirs = pair()
        process = start(self._program, theirs)
        errors = threading.Thread(
            target=self._hear_complaints,
            args=(process.stderr,),
            name=f"session {self._account} errors",
            daemon=True,
        )
        errors.start()
        end: Transition | None = None
        try:
            job: Said = {
                "type": "serve",
                "account": self._account,
                "store": url,
                "device": jid,
                "words": asdict(self._words),
            }
            channel.tell(job)
            self._courier.start(channel)
            end = self._listen(channel)
            if end.reason == _CLOSED and self._flight_is_empty():
                channel.tell({"type": "stop"})
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_STOP_SECONDS)
        except (EOFError, OSError):
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
        finally:
            process.kill()
            code = process.wait()
            errors.join()
        return end or Transition("disconnected", self._last_words(code))

    def _listen(self, channel: Channel) -> Transition:
        """Follow what the process says, until it says its last or a watchdog gives it up."""
        options = self._options
        heard_at = time.monotonic()
        connect_by = heard_at + options.connect_within
        while True:
            said = channel.hear(self._seconds_to_look())
            now = time.monotonic()
            if said is not None:
                heard_at = now
                if said["type"] == "ended":
                    return _end(said)
                self._follow(said)
            elif now - heard_at >= options.silent_within:
                return _lost(f"the session process hung: no word for {options.silent_within:g} s")
            if self._stop_at is not None:
                if now >= self._stop_at or self._flight_is_empty():
                    return _lost(_CLOSED)
            elif not self.is_up and now >= connect_by:
                return _lost(f"no login within {options.connect_within:g} s")
            if self._flight.complaint is not None:
                return _lost(self._flight.complaint)
            if self._memory > options.memory and self._flight_is_empty():
                return _lost(f"the session process had grown to {self._memory} MiB")

    def _seconds_to_look(self) -> float:
        moments = [_LOOK_SECONDS]
        if self._flight.seconds_left is not None:
            moments.append(self._flight.seconds_left)
        if self._stop_at is not None:
            moments.append(self._stop_at - time.monotonic())
        return max(min(moments), 0.0)

    def _flight_is_empty(self) -> bool:
        with self._gate:  # whoever is between taking and handing over counts
            return not self._flight

    def _follow(self, said: Said) -> None:
        match said["type"]:
            case "beat":
                self._memory = said["memory"]
            case "connected":
                with self._gate:
                    self.is_up = self._stop_at is None
                self._emit(Transition("connected"))
            case "begun":
                self._flight.begin(_key(said))
            case "outcome":
                self._land(_outcome(said))
            case "receipts":
                for message_id in said["messages"]:
                    self._emit(Receipt(message_id, said["kind"]))
            case "consent":
                self._emit(Consent(said["jid"], said["word"], said["opts_out"]))
            case "drained":
                pass  # so that whoever waits for it to be empty looks now
            case other:
                self._log.error("the session process says what nobody knows", type=other)

    def _land(self, outcome: Outcome) -> None:
        key = outcome.notification, outcome.number
        self._courier.landed(key)
        if self._flight.land(key):
            self._emit(outcome)

    def _hear_complaints(self, stderr: IO[str]) -> None:
        with stderr:
            for line in stderr:
                complaint = without_numbers(line.rstrip())
                self._complaints.append(complaint)
                self._log.debug("the session process complains", line=complaint)

    def _last_words(self, code: int) -> str:
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        said = next((c for c in self._complaints if any(word in c for word in _FATAL)), "")
        return f"the session process died {how}" + (f": {said}" if said else "")


_CLOSED = "closed"


def start(program: Sequence[str], handle: int, *, quiet: bool = False) -> subprocess.Popen[str]:
    """Start a session process.

    Args:
        program: What it runs: a module and its arguments.
        handle: Of the socket that it talks over, which is then closed on our side.
        quiet: Nobody wants to hear what it complains of.
    """
    with open(handle, "rb", buffering=0):
        return subprocess.Popen(  # noqa: S603  # our own Python, without a shell
            [sys.executable, "-m", *program, str(handle)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # Go prints there
            stderr=subprocess.DEVNULL if quiet else subprocess.PIPE,
            text=True,
            errors="replace",
            pass_fds=[handle],
            env={"GOMEMLIMIT": _GO_MEMORY, **os.environ},
        )


def _key(said: Said) -> tuple[UUID, int]:
    return UUID(said["notification"]), said["attempt"]


def _outcome(said: Said) -> Outcome:
    key, registered = _key(said), said.get("registered")
    match said:
        case {"message_id": message_id}:
            return Outcome(*key, "sent", message_id, registered=registered)
        case {"unsendable": reason}:
            return Outcome(*key, "rejected", error=reason, registered=registered)
        case {"undone": reason}:
            return Outcome(*key, "not_sent", error=reason)
        case {"error": error, "left": message_id}:
            # Some of an album has left, so to send it again would double that.
            reason = without_numbers(error)
            return Outcome(*key, "unknown", message_id, reason, registered=registered)
        case {"error": error, "begun": begun}:
            kind = classify(error) if begun else classify_prepared(error)
            return Outcome(*key, kind, error=without_numbers(error), registered=registered)
    raise ValueError(f"not an outcome: {said}")


def _end(said: Said) -> Transition:
    return Transition(said["as"], without_numbers(said["reason"]), said.get("retry_after"))


def _lost(reason: str) -> Transition:
    return Transition("disconnected", reason)
