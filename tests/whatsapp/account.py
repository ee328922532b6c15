"""The other side of one account: what WhatsApp does with its connection, and what it received."""

from __future__ import annotations

import time
from threading import Condition, Timer
from typing import TYPE_CHECKING

from tests.whatsapp.answers import answer
from tests.whatsapp.conduct import LOGGED_OUT, OUTDATED, UNAVAILABLE, Ban, Conduct
from tests.whatsapp.directory import Directory, hidden, revealed
from tests.whatsapp.ledger import Ledger, Received
from tests.whatsapp.nodes import Jid, Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.whatsapp.connection import Connection
    from tests.whatsapp.gate import Gate

_PATIENCE = 20.0


class Account:
    """An account of the server, welcome as long as nothing else is said.

    Attributes:
        deliver_within: seconds after which a recipient's device reports a message as delivered;
            None to report nothing.
        latency: seconds that a message and its acknowledgement take together on their way.
    """

    def __init__(self, number: str, gate: Gate) -> None:
        self.number = number
        self.deliver_within: float | None = None
        self.latency = 0.0
        self._gate = gate
        self._directory = Directory()
        self._changed = Condition()
        self._connection: Connection | None = None
        self._logins = 0
        self._ledger = Ledger()
        self._conduct = Conduct()
        self._receipts: dict[tuple[str, str], Node] = {}
        self._is_active = False
        self._unlinked: list[str] = []

    # What a test asks for.

    def drop(self) -> None:
        """Drop the connection now."""
        with self._changed:
            self._drop()

    def drop_before_frame(self, nth: int = 1) -> None:
        """Drop the connection instead of receiving the nth message from now on."""
        with self._changed:
            self._conduct.frames_to_drop = nth

    def drop_before_acknowledgement(self, nth: int = 1) -> None:
        """Receive the nth message from now on, then drop the connection instead of answering."""
        with self._changed:
            self._conduct.acknowledgements_to_drop = nth

    def refuse(self, jid: str, code: int) -> None:
        """Answer every message to this recipient with an error; nobody receives it."""
        with self._changed:
            self._conduct.refused[revealed(Jid(jid))] = code

    def refuse_all(self, code: int) -> None:
        """Answer every message with an error; nobody receives it."""
        with self._changed:
            self._conduct.all_refused = code

    def silence(self) -> None:
        """Receive messages and answer none."""
        with self._changed:
            self._conduct.is_silent = True

    def answer(self) -> None:
        """Answer again what comes from now on, after `silence` or `stall`."""
        with self._changed:
            self._conduct.is_silent = self._conduct.is_stalled = False

    def stall(self) -> None:
        """Answer nothing at all, not even keep-alives and logins; the socket stays open."""
        with self._changed:
            self._conduct.is_stalled = True

    def replace(self) -> None:
        """End the session because another client has taken its place."""
        with self._changed:
            self._end(_replaced())

    def log_out(self, reason: int = LOGGED_OUT) -> None:
        """End the session and refuse logins: the device was unlinked (401), or the account is gone.

        Only 401 can be said to a running session; others it hears when it comes back.
        """
        with self._changed:
            self._conduct.failure = reason
            if reason == LOGGED_OUT:
                removed = [Node("conflict", {"type": "device_removed"})]
                self._end(Node("stream:error", {"code": str(reason)}, removed))
            else:
                self._drop()

    def ban(self, seconds: float, code: int = 101) -> None:
        """End the session and refuse logins for so long; the client hears it when it comes back."""
        with self._changed:
            self._conduct.ban = Ban(code, time.monotonic() + seconds)
            self._drop()

    def outdate(self) -> None:
        """End the session and refuse logins: the client is too old."""
        self.fail(OUTDATED)

    def unavailable(self) -> None:
        """End the session and refuse logins, as if WhatsApp had trouble of its own."""
        with self._changed:
            self._conduct.failure = UNAVAILABLE
            self._end(Node("stream:error", {"code": str(UNAVAILABLE)}))

    def fail(self, reason: int) -> None:
        """End the session and refuse logins with any other reason."""
        with self._changed:
            self._conduct.failure = reason
            self._drop()

    def end_stream(self, code: str | None = None) -> None:
        """End the session with a stream error of this code, or of none; logins are welcome."""
        with self._changed:
            self._end(Node("stream:error", {} if code is None else {"code": code}))

    def offline(self) -> None:
        """Be unreachable, for all accounts: connections drop, and none is made."""
        self._gate.shut()

    def black_hole(self) -> None:
        """Accept connections, of all accounts, and never answer; those that exist stay."""
        self._gate.swallow()

    def lift(self) -> None:
        """Be as at the beginning: reachable, welcoming and answering; what was received stays."""
        with self._changed:
            self._conduct = Conduct()
        self._directory.restore()
        self._gate.open()

    def receipt(self, message_id: str, kind: str) -> None:
        """Let the recipient's device report on a message.

        A client that is away, or goes before it has acknowledged that, is told at its next login.

        Args:
            message_id: also one that was never received, from a stranger then.
            kind: "delivered", "read", "played", or anything else that WhatsApp might come up with.
        """
        with self._changed:
            node = self._ledger.receipt(message_id, kind)
            self._receipts[node.get("id"), node.get("type")] = node
            connection = self._connection if self._is_active else None
        if connection:
            connection.send(node)

    def write(self, node: Node) -> None:
        """Let somebody write to the account; a client that is away is told at its next login."""
        with self._changed:
            self._receipts[node.get("id"), "message"] = node
            connection = self._connection if self._is_active else None
        if connection:
            connection.send(node)

    def unregister(self, number: str) -> None:
        """Let this number, digits with its country, not be on WhatsApp."""
        self._directory.unregister(number)

    # What a test looks at.

    @property
    def connected(self) -> bool:
        """Whether a client is logged in now."""
        with self._changed:
            return self._connection is not None

    def logins(self) -> int:
        """Return how often a client was logged in."""
        with self._changed:
            return self._logins

    def lookups(self) -> int:
        """Return how many numbers were asked for whether they are on WhatsApp."""
        return self._directory.lookups()

    def unlinked(self) -> list[str]:
        """Return the devices that have asked to be linked no more."""
        with self._changed:
            return list(self._unlinked)

    def received(self) -> list[Received]:
        """Return what was received so far, in order; what came twice under one id, once."""
        with self._changed:
            return self._ledger.received()

    def wait_received(self, count: int, patience: float = _PATIENCE) -> None:
        """Return as soon as so many messages were received.

        Raises:
            TimeoutError: they were not within so many seconds.
        """
        self._wait(lambda: len(self._ledger) >= count, f"{count} messages", patience)

    def wait_logins(self, count: int) -> None:
        """Return as soon as a client was logged in so often.

        Raises:
            TimeoutError: it was not within twenty seconds.
        """
        self._wait(lambda: self._logins >= count, f"{count} logins")

    def wait_gone(self) -> None:
        """Return as soon as no client is logged in.

        Raises:
            TimeoutError: one still was after twenty seconds.
        """
        self._wait(lambda: self._connection is None, "hanging up")

    def wait_swallowed(self, count: int = 1) -> None:
        """Return as soon as so many connections, of all accounts, are in the black hole.

        Raises:
            TimeoutError: they were not within twenty seconds.
        """
        self._gate.wait_swallowed(count)

    # What the server hands on.

    def serve(self, connection: Connection, jid: Jid) -> None:
        """Log a client in, or refuse it, and hear it until it hangs up."""
        if not self._log_in(connection, jid):
            while True:
                connection.receive()
        try:
            while True:
                self._hear(connection, jid, connection.receive())
        finally:
            with self._changed:
                if self._connection is connection:
                    self._connection = None
                    self._changed.notify_all()

    def _log_in(self, connection: Connection, jid: Jid) -> bool:
        with self._changed:
            if self._conduct.is_stalled:
                return False
            failure = self._conduct.refusal()
            if failure:
                connection.end(Node("failure", failure))
                return False
            self._end(_replaced())
            self._connection = connection
            self._is_active = False
            self._logins += 1
            self._changed.notify_all()
        connection.send(Node("success", {"t": _now(), "lid": hidden(jid)}))
        return True

    def _hear(self, connection: Connection, jid: Jid, node: Node) -> None:
        with self._changed:
            if connection is not self._connection:
                return  # It has been told to go.
            is_stalled = self._conduct.is_stalled
        if node.tag == "message":
            self._receive(connection, node)
        elif node.tag == "iq" and not is_stalled:
            connection.answer(node, *answer(node, jid, self._directory))
            if node.find("active"):
                self._activate(connection)
            removed = node.find("remove-companion-device")
            if removed:
                with self._changed:
                    self._unlinked.append(str(removed.get("jid")))
        elif node.tag == "ack" and node.get("class") == "message":
            with self._changed:
                self._receipts.pop((node.get("id"), "message"), None)
        elif node.tag == "ack" and node.get("class") == "receipt":
            with self._changed:
                self._receipts.pop((node.get("id"), node.get("type")), None)

    def _receive(self, connection: Connection, message: Node) -> None:
        to = Jid(message.get("to"))
        with self._changed:
            error = self._conduct.error(revealed(to))
            fate = self._conduct.fate()
            if error is None and fate != "dropped":
                self._ledger.enter(message)
                self._changed.notify_all()
            if fate.startswith("dropped"):
                self._drop()
        if fate == "answered":
            time.sleep(self.latency)
            told = {"class": "message", "id": message.get("id"), "from": to, "t": _now()}
            refused = {} if error is None else {"error": str(error)}
            connection.send(Node("ack", told | refused))
            if error is None:
                self._deliver(message.get("id"))

    def _deliver(self, message_id: str) -> None:
        if self.deliver_within is None:
            return
        timer = Timer(self.deliver_within, self.receipt, (message_id, "delivered"))
        timer.daemon = True
        timer.start()

    def _activate(self, connection: Connection) -> None:
        """Send the receipts that no client has acknowledged."""
        with self._changed:
            self._is_active = True
            receipts = list(self._receipts.values())
        for node in receipts:
            connection.send(node)

    def _drop(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None
            self._changed.notify_all()

    def _end(self, last: Node) -> None:
        if self._connection:
            self._connection.end(last)
            self._connection = None
            self._changed.notify_all()

    def _wait(self, is_so: Callable[[], bool], what: str, patience: float = _PATIENCE) -> None:
        with self._changed:
            if not self._changed.wait_for(is_so, patience):
                raise TimeoutError(
                    f"{what} of {self.number} did not come within {patience} s; there are"
                    f" {self._logins} logins and these messages: {self._ledger.received()}"
                )


def _now() -> str:
    return str(int(time.time()))


def _replaced() -> Node:
    return Node("stream:error", {}, [Node("conflict", {"type": "replaced"})])
