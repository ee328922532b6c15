"""A tenure: what an owner holds and does from taking the lease of an account to losing it.

Invariants: everything that is written carries the tenure's epoch. What is in flight is durable in
the log. A recipient's lane stays busy from the start of an attempt until its outcome leaves no
doubt about the order of what follows: an attempt of unknown outcome holds its recipient up until
it is settled, unless the notification says `hold`, which may take an operator days.
"""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import structlog

from outbox.delivery.feed import Feed
from outbox.delivery.lanes import Lanes
from outbox.errors import VersionConflict
from outbox.log import attempts, queue
from outbox.log.attempts import Result
from outbox.log.connection import connection_state, record_transition
from outbox.session.port import Attempt, Outcome, Receipt, Transition

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from outbox.log.attempts import Recorded, Started
    from outbox.log.database import Connection
    from outbox.log.queue import Entry
    from outbox.log.restore import RestoreEpoch
    from outbox.session.port import Session, SessionEvent

_SETTLE_SECONDS = 1.0
"""How often unknown outcomes are looked at that hold their recipient up."""
_HELD_SECONDS = 30.0
"""The same for those that an operator decides on."""
_FINAL_STATES = ("logged_out", "outdated", "halted")
"""States of a connection from which only an operator leads out."""


class Tenure:
    """One owner's work under one epoch.

    Args:
        account: The account.
        epoch: Of the lease.
        restore: The restore epoch that holds.
        window: How many notifications a page of the queue has.
        ring: Called, from the session's threads, when there is an event to take.
    """

    def __init__(
        self,
        account: str,
        epoch: int,
        restore: RestoreEpoch,
        window: int,
        ring: Callable[[], None],
    ) -> None:
        self.account = account
        self.epoch = epoch
        self.session: Session | None = None
        self.in_flight: dict[UUID, tuple[Entry, int]] = {}
        self.replaced = False
        self._closing = False
        self._restore = restore
        self._window = window
        self._ring = ring
        self._log = structlog.get_logger().bind(account=account, epoch=epoch)
        self._inbox: SimpleQueue[SessionEvent] = SimpleQueue()
        self._results: dict[UUID, tuple[Result, Entry | None]] = {}
        self._receipts: list[tuple[str, str]] = []
        self._unsettled: dict[UUID, queue.Unsettled] = {}
        self._connected = False
        self._connecting = False
        self._reconnect_at: float | None = None
        self._settle_at = 0.0
        self._traced = False
        self.lanes = Lanes(window)
        self.feed: Feed | None = None

    def emit(self, event: SessionEvent) -> None:
        """Take an event from the session, in whatever thread."""
        self._inbox.put(event)
        self._ring()

    @property
    def idle(self) -> bool:
        """Whether nothing is in flight, and nothing waits to be recorded or could be started."""
        return not (self.in_flight or self._results or self._receipts) and self._inbox.empty()

    # The queue.

    def load(self, connection: Connection) -> Feed:
        """Build the memory from the log: at the beginning, and after the database was lost."""
        self.lanes = Lanes(self._window)
        known = [*self.in_flight, *self._results]
        for notification, attempt in queue.stranded(connection, self.account, known):
            # Started by a call whose answer was lost: the session has never seen it.
            self._conclude(Result(notification, attempt, "not_sent", None, _ANSWER_LOST), None)
        for entry, _ in self.in_flight.values():
            self.lanes.occupy(entry.recipient)
        for _, held in self._results.values():
            if held is not None:
                self.lanes.occupy(held.recipient)
        self._unsettled = {}
        for unsettled in queue.unsettled(connection, self.account):
            self._unsettled[unsettled.id] = unsettled
            if unsettled.on_unknown == "resend":
                self.lanes.occupy(unsettled.recipient)
        self._traced = False
        self.feed = Feed(connection, self.account, self.lanes, self._restore.restored_through)
        return self.feed

    # The session.

    def keep_session(self, connection: Connection, session: Session) -> None:
        """Connect the session when it is time to."""
        self.session = session
        if self._connected or self._connecting:
            return
        state = connection_state(connection, self.account)
        if state is None or state.state in _FINAL_STATES:
            self._reconnect_at = None
            return
        wait = (state.reconnect_at or 0) - state.now
        if wait > 0:
            self._reconnect_at = time.monotonic() + wait
            return
        if state.state == "banned" and state.reconnect_at is None:
            self._reconnect_at = None
            return
        record_transition(connection, self.account, self.epoch, "connecting")
        self._connecting, self._reconnect_at = True, None
        session.connect()

    def close_session(self) -> None:
        """End the session on purpose; what becomes of its attempts is still to be taken."""
        self._closing = True
        if self.session is not None:
            self.session.close()

    def take_events(self, connection: Connection) -> bool:
        """Take what the session has said; return whether it had said anything."""
        taken = False
        while True:
            try:
                event = self._inbox.get_nowait()
            except Empty:
                return taken
            taken = True
            match event:
                case Outcome():
                    self._take_outcome(event)
                case Receipt():
                    self._receipts.append((event.message_id, event.type))
                case Transition():
                    self.exchange(connection, start=False)
                    self._take_transition(connection, event)

    def _take_outcome(self, outcome: Outcome) -> None:
        flying = self.in_flight.pop(outcome.notification, None)
        if flying is None or flying[1] != outcome.number:
            self._log.error("an outcome of no attempt in flight", outcome=str(outcome))
            return
        result = Result(
            outcome.notification, outcome.number, outcome.type, outcome.message_id, outcome.error
        )
        self._conclude(result, flying[0])

    def _conclude(self, result: Result, entry: Entry | None) -> None:
        self._results[result.notification] = (result, entry)
        if entry is not None and result.type in ("sent", "rejected"):
            self.lanes.release(entry.recipient)

    def _take_transition(self, connection: Connection, transition: Transition) -> None:
        self._log.info(transition.type, reason=transition.reason)
        self._connected = transition.type == "connected"
        self._connecting = False
        self._traced = False
        if self._closing:
            return
        record_transition(
            connection,
            self.account,
            self.epoch,
            transition.type,
            transition.reason,
            transition.retry_after,
        )
        if transition.type == "replaced":
            state = connection_state(connection, self.account)
            self.replaced = state is None or state.state != "halted"

    # Attempts.

    def exchange(self, connection: Connection, *, start: bool) -> bool:
        """Record what has gathered and, if told to, start what may go; in one commit.

        Returns:
            Whether there was anything to do.
        """
        entries: list[Entry] = []
        if start and self._connected and self.session is not None:
            entries = self.lanes.take(self.session.capacity - len(self.in_flight))
        if not entries and not self._results:
            return False
        results = dict(self._results)
        try:
            recorded, started = attempts.exchange(
                connection,
                self.account,
                self.epoch,
                [result for result, _ in results.values()],
                [entry.id for entry in entries],
            )
        except VersionConflict as error:
            # Somebody cancelled, requeued or expired one of them at this moment: look again.
            self._log.info("repeated after a conflict", conflict=error.message)
            for entry in entries:
                self.lanes.release(entry.recipient)
            self.lanes.add(entries)
            return True
        for notification in results:
            del self._results[notification]
        self._settle_recorded(connection, results, recorded)
        self._hand_over(entries, started)
        return True

    def _hand_over(self, entries: list[Entry], started: list[Started]) -> None:
        """Give the session what was started; what was not has changed meanwhile and is let go."""
        waiting = {entry.id: entry for entry in entries}
        handed: list[Attempt] = []
        for attempt in started:
            entry = waiting.pop(attempt.notification)
            reason = _unsendable(attempt)
            if reason is None and attempt.content is not None:
                self.in_flight[entry.id] = (entry, attempt.number)
                handed.append(
                    Attempt(attempt.notification, attempt.number, attempt.jid, attempt.content)
                )
            else:
                self._conclude(Result(entry.id, attempt.number, "rejected", None, reason), entry)
        for entry in waiting.values():
            self.lanes.release(entry.recipient)
        if handed and self.session is not None:
            self.session.send(handed)

    def _settle_recorded(
        self,
        connection: Connection,
        results: dict[UUID, tuple[Result, Entry | None]],
        recorded: list[Recorded],
    ) -> None:
        """Let the memory follow what the log says of the attempts that were no success."""
        pending: list[UUID] = []
        for row in recorded:
            result, entry = results[row.notification]
            if row.state == "unknown":
                self._hold_unsettled(row, result)
                continue
            self._unsettled.pop(row.notification, None)
            if row.retry_at is not None and result.type == "failed" and self.feed is not None:
                self.lanes.block(row.recipient, row.retry_at)
                self.feed.expect(row.retry_at)
            elif row.state == "pending":
                if entry is None:
                    pending.append(row.notification)
                else:
                    self.lanes.add([entry])
            if result.type != "rejected":
                self.lanes.release(row.recipient)
        if pending:
            self.lanes.add(queue.entries(connection, pending))

    def _hold_unsettled(self, row: Recorded, result: Result) -> None:
        before = self._unsettled.get(row.notification)
        on_unknown = before.on_unknown if before else row.on_unknown
        self._unsettled[row.notification] = queue.Unsettled(
            row.notification, row.recipient, result.attempt, result.message_id, on_unknown
        )
        if before is None and on_unknown == "hold":
            self.lanes.release(row.recipient)
        self._traced = self._traced and result.message_id is not None

    # Evidence.

    def settle(self, connection: Connection) -> bool:
        """Record receipts, ask for traces, and let the policy settle what no evidence will.

        Returns:
            Whether there was anything to do.
        """
        if self._receipts:
            receipts, self._receipts = self._receipts, []
            try:
                settled = attempts.record_receipts(connection, self.account, self.epoch, receipts)
            except Exception:
                self._receipts = receipts + self._receipts
                raise
            self._release(settled)
            return True
        if not self._unsettled or not self._connected or time.monotonic() < self._settle_at:
            return False
        if not self._traced and self._ask_for_traces():
            return True
        attempts.settle_unconfirmed(connection, self.account, self.epoch)
        self._follow_unsettled(connection)
        waiting = any(u.on_unknown == "resend" for u in self._unsettled.values())
        self._settle_at = time.monotonic() + (_SETTLE_SECONDS if waiting else _HELD_SECONDS)
        return False

    def _follow_unsettled(self, connection: Connection) -> None:
        """Let recipients go on whose unknown outcome is unknown no more, whoever settled it."""
        unsettled = {u.id for u in queue.unsettled(connection, self.account)}
        gone = [notification for notification in self._unsettled if notification not in unsettled]
        self.lanes.add(queue.entries(connection, gone) if gone else [])
        self._release(gone)

    def _ask_for_traces(self) -> bool:
        """Find out, of each attempt of unknown outcome, whether its frame can have left."""
        if self.session is None:
            return False
        untraced = {(u.id, u.attempt): u for u in self._unsettled.values() if u.message_id is None}
        try:
            traces = self.session.trace(list(untraced)) if untraced else {}
        except ConnectionError as error:
            self._log.warning("no traces to be had", error=str(error))
            return False
        for key, unsettled in untraced.items():
            message_id = traces.get(key)
            kind = "never_left" if message_id is None else "unknown"
            self._conclude(Result(unsettled.id, unsettled.attempt, kind, message_id, None), None)
        self._traced = True
        return bool(untraced)

    def _release(self, settled: list[UUID]) -> None:
        for notification in settled:
            unsettled = self._unsettled.pop(notification, None)
            if unsettled is not None:
                self.lanes.release(unsettled.recipient)

    @property
    def seconds_to_next(self) -> float | None:
        """Until something is due of itself; None if nothing is."""
        moments: list[float] = []
        if self.feed is not None and self.feed.seconds_to_next is not None:
            moments.append(self.feed.seconds_to_next)
        if self._reconnect_at is not None:
            moments.append(self._reconnect_at - time.monotonic())
        if self._unsettled and self._connected:
            moments.append(self._settle_at - time.monotonic())
        return max(min(moments), 0) if moments else None


_ANSWER_LOST = "the answer of the database was lost before the session was handed it"


def _unsendable(attempt: Started) -> str | None:
    """Return why an attempt cannot be handed over, or None."""
    if attempt.content is None:
        return "its content has been erased"
    for field in ("message", "quote"):
        reference = attempt.content.get(field)
        if isinstance(reference, dict) and "notification" in reference:
            return f"its {field} refers to {reference['notification']}, which was not sent"
    return None
