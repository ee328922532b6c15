"""A session's link to the phone: the connection, and what becomes of all that is in flight.

The rules of the port follow from the order of things here:

* One thread (`loop`) does everything, so no two ever decide about one attempt; whoever takes a
  parcel out of the flight emits its outcome, once (rule 1).
* Whether a byte of it was handed to the operating system decides between `unknown` and `not_sent`
  (rule 2).
* Its trace is written before its frame, in one stream (rule 3), in the order of handing over
  (rule 5).
* `_end` is the only way out of a connection: it settles the flight, then tells (rule 4).
* Nothing but `begin` begins a connection (rule 6).
* `finish` is the last command, and its caller waits for the thread (rule 7).
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import time
from functools import partial
from typing import TYPE_CHECKING, cast

from outbox.session.flight import Flight, Parcel
from outbox.session.phone.line import Line, decode, encode
from outbox.session.phone.wire import Wire
from outbox.session.port import Consent, Outcome, OutcomeType, Receipt, SessionEvent, Transition

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from outbox.session.consent import Words
    from outbox.session.phone.address import Address
    from outbox.session.phone.loop import Loop
    from outbox.session.phone.options import Options
    from outbox.session.port import Emit, ReceiptType, TransitionType

log = logging.getLogger(__name__)

_ENDINGS: dict[str, TransitionType] = {
    "unavailable": "disconnected",
    "replaced": "replaced",
    "logged_out": "logged_out",
    "banned": "banned",
    "outdated": "outdated",
}
_RECEIPTS = frozenset({"delivered", "read", "played"})


class Link:
    """What a session's thread works for."""

    def __init__(
        self,
        loop: Loop,
        address: Address,
        options: Options,
        words: Words,
        account: str,
        emit: Emit,
    ) -> None:
        self._loop = loop
        self._address = address
        self._options = options
        self._words = words
        self._account = account
        self._owner = emit
        self._wire: Wire | None = None
        self.up = False
        """Whether the phone has accepted the login. Anybody may read it."""
        self._began = self._heard = 0.0
        self._pinged = False
        self._flight = Flight(options.capacity, options.acknowledge_within)
        self._questions: dict[int, Future[dict[str, str]]] = {}
        self._asked = 0
        self._close_by: float | None = None
        self._doing: dict[str, Callable[[Line], None]] = {
            "connected": self._connected,
            "sent": partial(self._answered, "sent"),
            "failed": partial(self._answered, "failed"),
            "rejected": partial(self._answered, "rejected"),
            "receipt": self._receipt,
            "text": self._text,
            "traces": self._traces,
            "pong": lambda _: None,
            **dict.fromkeys(_ENDINGS, self._ended),
        }

    # Commands.

    def begin(self) -> None:
        """Begin to connect, unless there is a connection or the beginning of one."""
        if self._wire is not None:
            return
        self._began = time.monotonic()
        wire = self._wire = Wire(self._address.socket())
        try:
            error = wire.socket.connect_ex(self._address.target)
        except OSError as wrong:
            self._end("disconnected", f"cannot connect: {wrong}")
            return
        if error not in {0, errno.EINPROGRESS}:
            self._end("disconnected", f"cannot connect: {os.strerror(error)}")
            return
        wire.push(encode({"type": "login", "account": self._account}))
        self._loop.watch(wire.socket, writing=True)

    def take(self, prepared: Sequence[Parcel | Outcome]) -> None:
        """Send these; what is an outcome already was refused before it could leave."""
        for one in prepared:
            if not self.up:
                self._emit(Outcome(one.notification, one.number, "not_sent", error="no connection"))
            elif isinstance(one, Outcome):
                self._emit(one)
            else:
                self._flight.take(one)
        self._depart()

    def ask(self, secrets: Sequence[str], found: Future[dict[str, str]]) -> None:
        """Ask the phone which of these secrets left a trace."""
        if not self.up:
            found.set_exception(ConnectionError("no connection"))
            return
        self._asked += 1
        self._questions[self._asked] = found
        self._push({"type": "traces", "question": self._asked, "secrets": secrets})

    def finish(self) -> None:
        """End the connection as soon as what flies has landed, or patience is at its end."""
        patience = self._options.close_within if self.up else 0.0
        self._close_by = time.monotonic() + patience
        for parcel in self._flight.cancel():
            self._settle(parcel, "not_sent", error="the session was closed")

    # The thread's work.

    @property
    def over(self) -> bool:
        """Whether the connection has ended after `finish`."""
        return self._close_by is not None and self._wire is None

    def patience(self) -> float | None:
        """Return the seconds until `tick` has something to do."""
        if self._wire is None:
            return None
        if self._close_by is not None and not len(self._flight):
            return 0.0
        moments = (
            self._heard + self._options.keep_alive * (1 + self._pinged)
            if self.up
            else self._began + self._options.connect_within,
            self._close_by,
            self._flight.next_due,
        )
        return max(0.0, min(one for one in moments if one is not None) - time.monotonic())

    def serve(self, *, readable: bool, writable: bool) -> None:
        """Write what waits, and take what the phone says."""
        wire = cast("Wire", self._wire)
        if not self.up and (error := wire.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
            self._end("disconnected", f"cannot connect: {os.strerror(error)}")
            return
        if writable:
            self._flush()
        if readable:
            try:
                lines = wire.pull()
            except ConnectionError as error:
                self._end("disconnected", str(error))
            else:
                self._hear(lines)

    def tick(self, now: float) -> None:
        """Give up on what is overdue: acknowledgements, a login, a pong, the end."""
        for parcel in self._flight.overdue(now):
            self._settle(parcel, "unknown", error="timed out waiting for message send response")
        silence = now - self._heard
        if self._wire is None:
            return
        if self._close_by is not None and (now >= self._close_by or not len(self._flight)):
            self._end("disconnected", "the session was closed")
        elif not self.up:
            if now >= self._began + self._options.connect_within:
                self._end("disconnected", "timed out while connecting")
        elif self._pinged and silence >= 2 * self._options.keep_alive:
            self._end("disconnected", "keep-alive lost")
        elif not self._pinged and silence >= self._options.keep_alive:
            self._pinged = True
            self._push({"type": "ping"})
        self._depart()

    def fail(self, error: Exception) -> None:
        """End the connection, whatever it was."""
        if self._wire is not None:
            self._end("disconnected", f"the session failed: {error!r}")

    # Writing.

    def _depart(self) -> None:
        if self._wire is not None:
            data = self._flight.depart(self._wire.pushed, time.monotonic())
            if data:
                self._wire.push(data)
                self._flush()

    def _push(self, line: Line) -> None:
        if self._wire is not None:
            self._wire.push(encode(line))
            self._flush()

    def _flush(self) -> None:
        wire = cast("Wire", self._wire)
        wire.flush()
        self._loop.watch(wire.socket, writing=wire.backlog)

    # What the phone says.

    def _hear(self, lines: Sequence[bytes]) -> None:
        received = 0
        for data in lines:
            line = decode(data)
            self._doing[line["type"]](line)
            if self._wire is None:
                return
            received = line.get("number", received)
        self._heard, self._pinged = time.monotonic(), False
        if received:
            self._push({"type": "received", "number": received})
        self._depart()

    def _connected(self, line: Line) -> None:
        del line
        self.up = True
        self._emit(Transition("connected"))

    def _answered(self, kind: OutcomeType, line: Line) -> None:
        parcel = self._flight.land(line["message_id"])
        if parcel is not None:
            self._settle(parcel, kind, error=line.get("error"))

    def _receipt(self, line: Line) -> None:
        if line["receipt"] in _RECEIPTS:
            self._emit(Receipt(line["message_id"], cast("ReceiptType", line["receipt"])))
        else:
            log.info("a receipt of a kind that is not known: %s", line["receipt"])

    def _text(self, line: Line) -> None:
        word = self._words.found(line["text"])
        if word is not None:
            self._emit(Consent(line["jid"], word.text, word.opts_out))

    def _traces(self, line: Line) -> None:
        self._questions.pop(line["question"]).set_result(line["found"])

    def _ended(self, line: Line) -> None:
        self._end(_ENDINGS[line["type"]], line["reason"], line.get("retry_after"))

    # Events.

    def _end(self, kind: TransitionType, reason: str, retry_after: float | None = None) -> None:
        wire = cast("Wire", self._wire)
        self._wire, self.up, self._pinged = None, False, False
        self._loop.forget(wire.socket)
        wire.close()
        for parcel, may_have_left in self._flight.crash(wire.written):
            self._settle(parcel, "unknown" if may_have_left else "not_sent", error=reason)
        for found in self._questions.values():
            found.set_exception(ConnectionError(reason))
        self._questions.clear()
        self._emit(Transition(kind, reason, retry_after))

    def _settle(self, parcel: Parcel, kind: OutcomeType, *, error: str | None) -> None:
        message_id = parcel.message_id if kind in {"sent", "unknown"} else None
        self._emit(Outcome(parcel.notification, parcel.number, kind, message_id, error))

    def _emit(self, event: SessionEvent) -> None:
        try:
            self._owner(event)
        except Exception:
            # The owner's error must not cost the other attempts their outcomes.
            log.exception("the owner of account %s failed at %r", self._account, event)
