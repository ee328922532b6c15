"""A tenure: what an owner holds and does from taking the lease of an account to losing it.

Invariants: everything that is written carries the tenure's epoch. What is in flight is durable in
the log. The lane of a recipient stays busy from the start of an attempt until its outcome leaves
no doubt about the order of what follows.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

import structlog

from outbox.delivery.evidence import Evidence
from outbox.delivery.feed import Feed
from outbox.delivery.lanes import Lanes
from outbox.delivery.pace import Pace, held_until
from outbox.delivery.reconnection import Reconnection
from outbox.delivery.telling import tell
from outbox.errors import VersionConflict
from outbox.log import attempts, queue, restore, suppression
from outbox.log.attempts import Result
from outbox.session.port import Attempt, Consent, Outcome, Receipt, Transition

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from outbox.log.attempts import Held, Recorded, Started
    from outbox.log.database import Connection
    from outbox.log.queue import Entry
    from outbox.session.port import Media, OpenSession, SessionEvent

_EARLY_RECEIPTS = 10_000
"""How many receipts are remembered that came while attempts were out."""
_ANSWER_LOST = "the answer of the database was lost before the session was handed it"


class _Flying(NamedTuple):
    entry: Entry
    attempt: int


class _Conclusion(NamedTuple):
    result: Result
    entry: Entry | None
    """None where the outcome was unknown, and `Evidence` holds the recipient up."""


class Tenure:
    """One owner's work under one epoch.

    Args:
        connection: Where the log is.
        account: The account.
        epoch: Of the lease.
        window: How many notifications a page of the queue has.
        open_session: Makes the account's session.
        media: Fetches media for the session.
        ring: Called, from the session's threads, when there is an event to take.
    """

    def __init__(
        self,
        connection: Connection,
        account: str,
        epoch: int,
        *,
        window: int,
        open_session: OpenSession,
        media: Callable[[str], Media],
        ring: Callable[[], None],
    ) -> None:
        self.account = account
        self.epoch = epoch
        self._restored_through = restore.begin(connection).restored_through
        self._window = window
        self._ring = ring
        self._log = structlog.get_logger().bind(account=account, epoch=epoch)
        self._inbox: deque[SessionEvent] = deque()
        self._in_flight: dict[UUID, _Flying] = {}
        self._conclusions: dict[UUID, _Conclusion] = {}
        self._receipts: list[tuple[str, str]] = []
        self._consents: list[Consent] = []
        self._early: dict[str, str] = {}
        self.load(connection)
        # Last: a tenure that cannot begin leaves no session behind.
        self._session = open_session(account, self._emit, media)
        self._pace = Pace(self._session)
        self._reconnection = Reconnection(account, epoch, self._session)

    def load(self, connection: Connection) -> None:
        """Build the memory from the log: at the beginning, and after the database was lost."""
        self._lanes = Lanes(self._window)
        for entry, _ in self._in_flight.values():
            self._lanes.occupy(entry.recipient)
        for result, concluded in self._conclusions.values():
            if concluded is not None and result.type not in _FINAL_OUTCOMES:
                self._lanes.occupy(concluded.recipient)
        known = [*self._in_flight, *self._conclusions]
        for stranded, attempt in queue.stranded(connection, self.account, known):
            # Started by a call whose answer was lost: the session has never seen it.
            self._lanes.occupy(stranded.recipient)
            self._conclude(Result(stranded.id, attempt, "not_sent", None, _ANSWER_LOST), stranded)
        self._evidence = Evidence(connection, self.account, self.epoch, self._lanes)
        self.feed = Feed(connection, self.account, self._lanes, self._restored_through)

    @property
    def is_replaced(self) -> bool:
        """Whether the session has been replaced, so that the lease is to be taken anew."""
        return self._reconnection.is_replaced

    @property
    def is_waiting_for_outcomes(self) -> bool:
        """Whether the session has attempts that it has not answered."""
        return bool(self._in_flight)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in flight or waits to be recorded."""
        waiting = self._conclusions or self._receipts or self._consents or self._inbox
        return not (self._in_flight or waiting)

    @property
    def seconds_to_next(self) -> float | None:
        """Until something is due of itself; None if nothing is."""
        moments = [self.feed.seconds_to_next, self._reconnection.seconds_to_next]
        if self._reconnection.is_up:
            moments.append(self._evidence.seconds_to_next)
            moments.append(self._pace.seconds_to_next(self.feed.now))
        return min((moment for moment in moments if moment is not None), default=None)

    # The session.

    def keep_connected(self, connection: Connection) -> None:
        """Connect the session when it is time to."""
        self._reconnection.keep(connection)

    def close_session(self) -> None:
        """End the session on purpose; what becomes of its attempts is still to be taken."""
        self._reconnection.close()

    def take_events(self, connection: Connection) -> bool:
        """Take what the session has said; return whether it had said anything.

        An event leaves the inbox when it is taken: one whose record was lost is taken again.
        """
        taken = bool(self._inbox)
        while self._inbox:
            match event := self._inbox[0]:
                case Outcome():
                    self._take_outcome(event)
                case Receipt():
                    self._take_receipt(event)
                case Consent():
                    self._consents.append(event)
                case Transition():
                    self.exchange(connection, start=False)
                    self._evidence.hurry()
                    self._reconnection.follow(connection, event)
            self._inbox.popleft()
        return taken

    def _emit(self, event: SessionEvent) -> None:
        self._inbox.append(event)
        self._ring()

    def _take_outcome(self, outcome: Outcome) -> None:
        flying = self._in_flight.pop(outcome.notification, None)
        if flying is None or flying.attempt != outcome.number:
            self._log.error("an outcome of no attempt in flight", outcome=str(outcome))
            return
        result = Result(
            outcome.notification,
            outcome.number,
            outcome.type,
            outcome.message_id,
            outcome.error,
            outcome.registered,
        )
        self._conclude(result, flying.entry)
        early = self._early.pop(outcome.message_id, None) if outcome.message_id else None
        if outcome.message_id and early:
            self._receipts.append((outcome.message_id, early))

    def _take_receipt(self, receipt: Receipt) -> None:
        self._receipts.append((receipt.message_id, receipt.type))
        if not self._in_flight:
            self._early.clear()
            return
        # It may be for an attempt that is still out, whose message the log does not know yet.
        self._early[receipt.message_id] = receipt.type
        if len(self._early) > _EARLY_RECEIPTS:
            del self._early[next(iter(self._early))]

    # Attempts.

    def exchange(self, connection: Connection, *, start: bool) -> bool:
        """Record what has gathered and, if told to, start what may go; in one commit.

        Returns:
            Whether there was anything to do.
        """
        entries: list[Entry] = []
        if self._reconnection.is_up:
            room = self._pace.room(self.feed.now, len(self._in_flight))
            entries = self._lanes.take(room) if start else []
        if not entries and not self._conclusions:
            return False
        concluded = dict(self._conclusions)
        try:
            exchanged = attempts.exchange(
                connection,
                self.account,
                self.epoch,
                [result for result, _ in concluded.values()],
                [entry.id for entry in entries],
                paced=self._pace.is_kept,
            )
        except VersionConflict as error:
            # Somebody cancelled, requeued or expired one of them at this moment: once more.
            self._log.info("repeated after a conflict", reason=error.message)
            self._lanes.put_back(entries)
            return True
        for notification in concluded:
            del self._conclusions[notification]
        self._follow(connection, concluded, exchanged.recorded)
        held = {one.notification: one for one in exchanged.held}
        self._hold([(entry, held[entry.id]) for entry in entries if entry.id in held])
        self._hand_over([entry for entry in entries if entry.id not in held], exchanged.started)
        return True

    def record_receipts(self, connection: Connection) -> bool:
        """Record the receipts that have gathered; return whether there were any.

        Those that come with a new connection wait for the traces, without which the log does not
        know of which message they tell.
        """
        if not self._receipts or self._conclusions or self._evidence.lacks_traces:
            return False
        receipts = list(self._receipts)
        try:
            settled = attempts.record_receipts(connection, self.account, self.epoch, receipts)
        except VersionConflict as error:
            self._log.info("repeated after a conflict", reason=error.message)
            return True
        del self._receipts[: len(receipts)]
        self._evidence.settled(settled)
        return True

    def record_consents(self, connection: Connection) -> bool:
        """Record who has opted out or in; return whether there was anybody."""
        if not self._consents:
            return False
        consent = self._consents[0]
        try:
            changed = suppression.record_consent(
                connection,
                self.account,
                self.epoch,
                consent.jid,
                consent.word,
                opts_out=consent.opts_out,
            )
        except VersionConflict as error:
            self._log.info("repeated after a conflict", reason=error.message)
            return True
        del self._consents[0]
        if changed:
            self._log.info("a recipient opted " + ("out" if consent.opts_out else "in"))
        return True

    def settle(self, connection: Connection) -> bool:
        """Settle unknown outcomes so far as can be; return whether there is something to do now."""
        if not self._reconnection.is_up:
            return False
        in_doubt = len(self._evidence)
        results = self._evidence.settle(connection, self._session)
        for result in results:
            self._conclude(result, None)
        return bool(results) or len(self._evidence) < in_doubt

    def _conclude(self, result: Result, entry: Entry | None) -> None:
        self._conclusions[result.notification] = _Conclusion(result, entry)
        if entry is not None and result.type in _FINAL_OUTCOMES:
            self._lanes.release(entry.recipient)

    def _hand_over(self, entries: list[Entry], started: list[Started]) -> None:
        """Give the session what was started, in the order of the lanes; let go of what was not."""
        attempt_of = {attempt.notification: attempt for attempt in started}
        handed: list[Attempt] = []
        for entry in entries:
            attempt = attempt_of.get(entry.id)
            if attempt is None:  # it has changed meanwhile
                self._lanes.release(entry.recipient)
                continue
            reason = _unsendable(attempt)
            if reason is None and attempt.jid is not None and attempt.content is not None:
                self._in_flight[entry.id] = _Flying(entry, attempt.number)
                handed.append(
                    Attempt(
                        attempt.notification,
                        attempt.number,
                        attempt.jid,
                        attempt.content,
                        check=attempt.registered is None,
                    )
                )
            else:
                self._conclude(Result(entry.id, attempt.number, "rejected", None, reason), entry)
        if handed:
            self._session.send(handed)

    def _hold(self, entries: list[tuple[Entry, Held]]) -> None:
        """Put back what may not go yet, so that the account or the recipient waits for it."""
        now = self.feed.now
        for entry, held in entries:
            if held.holds_account:
                self._pace.pause(held.until, now)
            else:
                self._lanes.block(entry.recipient, held_until(held.until, now))
        self._lanes.put_back([entry for entry, _ in entries])

    def _follow(
        self,
        connection: Connection,
        concluded: dict[UUID, _Conclusion],
        recorded: list[Recorded],
    ) -> None:
        """Let the memory follow what the log now says of the attempts that were no success."""
        rows = {row.notification: row for row in recorded}
        again: list[UUID] = []
        for notification, (result, entry) in concluded.items():
            row = rows.get(notification)
            tell(self._log, result, row)
            if result.type in _FINAL_OUTCOMES:
                self._evidence.settled([notification])
                continue
            in_doubt = self._evidence.of(notification)
            if row is None and in_doubt is not None:
                # Recorded by a call whose answer was lost, after which the memory was loaded; or
                # settled by somebody else, which the next look at the evidence will find.
                if entry is not None and not in_doubt.holds_up:
                    self._lanes.release(entry.recipient)
                continue
            if row is not None and row.state == "unknown":
                self._evidence.doubt(
                    queue.Unsettled(
                        row.notification,
                        row.recipient,
                        result.attempt,
                        result.message_id,
                        row.on_unknown,
                    )
                )
                if entry is not None and row.on_unknown == "hold":
                    self._lanes.release(entry.recipient)
                continue
            if row is not None and row.retry_at is not None and result.type == "failed":
                # Of other outcomes it tells when an earlier failure's wait was over.
                self._lanes.block(row.recipient, row.retry_at)
                self.feed.expect(row.retry_at)
            else:
                # Due at once; or recorded already by a call whose answer was lost.
                again.append(notification)
            self._evidence.settled([notification])
            if entry is not None:
                self._lanes.release(entry.recipient)
        if again:
            self._lanes.add(queue.entries(connection, again))


_FINAL_OUTCOMES = ("sent", "rejected", "restricted")
"""Outcomes after which the recipient goes on, recorded or not."""


def _unsendable(attempt: Started) -> str | None:
    """Return why an attempt cannot be handed over, or None."""
    if attempt.content is None:
        return "its content has been erased"
    if attempt.jid is None:
        return "its recipient has been erased"
    if attempt.registered is False:
        when = attempt.checked_at.astimezone(UTC) if attempt.checked_at else "an earlier attempt"
        return f"its number is not on WhatsApp, as was checked at {when:%Y-%m-%d %H:%M} UTC"
    for field in ("message", "quote"):
        reference = attempt.content.get(field)
        if isinstance(reference, dict) and "notification" in reference:
            return f"its {field} refers to {reference['notification']}, which was not sent"
    return None
