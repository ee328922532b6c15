"""What has happened since this process began, counted as the log tells of it.

Counters that begin anew with each process are what Prometheus expects; what is true of the whole
log, SQL knows. Two processes follow the same log, so each counts everything: take one of them, or
the largest, and do not add them up.

No label ever holds a number, a JID or an id: labels are the account's name, and words of the log.
"""

from __future__ import annotations

from collections import Counter as Counts
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Histogram, disable_created_metrics
from prometheus_client.registry import Collector

from outbox.log.types import NOTIFICATION
from outbox.words.narrative import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from prometheus_client import Metric

    from outbox.log.follow import Event

NOTIFICATIONS: Final = tuple(type_ for type_ in NOTIFICATION if not type_.startswith("attempt_"))
"""What becomes of a notification; its attempts are counted by their outcomes."""
OUTCOMES: Final = ("sent", "failed", "not_sent", "throttled", "rejected", "unknown")
SETTLEMENTS: Final = ("receipt", "never_left", "unconfirmed")
SECONDS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)
"""Of the histogram: from what a healthy connection takes to what a watchdog ends."""
MOST: Final = 10_000
"""How many attempts are remembered whose outcome has not come; older ones are not timed."""

_WITHOUT_ATTEMPT: Final = frozenset({"enqueued", *CONNECTIONS})


class Tally(Collector):
    """Counts events, to be registered where they are to be collected."""

    def __init__(self) -> None:
        # A second series for each one, which nobody reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._begun: OrderedDict[tuple[UUID, int], datetime] = OrderedDict()
        self._notifications = Counter(
            "outbox_notifications",
            "Notifications by what has become of them, since the process began.",
            ("account", "type"),
            registry=None,
        )
        self._attempts = Counter(
            "outbox_attempts",
            "Attempts by outcome, since the process began.",
            ("account", "outcome"),
            registry=None,
        )
        self._settlements = Counter(
            "outbox_settlements",
            "Unknown outcomes by what settled them, since the process began.",
            ("account", "by"),
            registry=None,
        )
        self._transitions = Counter(
            "outbox_connection_events",
            "Events of accounts' connections, since the process began.",
            ("account", "type"),
            registry=None,
        )
        self._acknowledgement = Histogram(
            "outbox_acknowledgement_seconds",
            "From the start of an attempt until the log has the server's acknowledgement.",
            ("account",),
            buckets=SECONDS,
            registry=None,
        )

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        for one in (
            *(self._notifications, self._attempts, self._settlements, self._transitions),
            self._acknowledgement,
        ):
            yield from one.collect()

    def expect(self, accounts: Iterable[str]) -> None:
        """Let the counters of accounts stand at 0 before anything happens.

        What has no value yet has no increase when it gets its first, and no alert notices it.
        """
        for account in accounts:
            for type_ in NOTIFICATIONS:
                self._notifications.labels(account, type_)
            for outcome in OUTCOMES:
                self._attempts.labels(account, outcome)
            for by in SETTLEMENTS:
                self._settlements.labels(account, by)
            for type_ in CONNECTIONS:
                self._transitions.labels(account, type_)
            self._acknowledgement.labels(account)

    def take(self, events: Sequence[Event]) -> None:
        """Count events, each once, in the order of the log."""
        of_types = Counts((event.account, event.type) for event in events)
        for (account, type_), count in of_types.items():
            if type_ in CONNECTIONS:
                self._transitions.labels(account, type_).inc(count)
            elif type_ in NOTIFICATIONS:
                self._notifications.labels(account, type_).inc(count)
        for event in events:
            if event.type not in _WITHOUT_ATTEMPT:
                self._take_attempt(event)

    def _take_attempt(self, event: Event) -> None:
        attempt = (event.stream, event.data.get("attempt", 0))
        if event.type == "attempt_started":
            self._begun[attempt] = event.recorded_at
            if len(self._begun) > MOST:
                self._begun.popitem(last=False)
            return
        begun = self._begun.pop(attempt, None)
        settled_by = _settled_by(event)
        if settled_by:
            self._settlements.labels(event.account, settled_by).inc()
            return
        outcome = _outcome(event)
        if outcome:
            self._attempts.labels(event.account, outcome).inc()
        if outcome == "sent" and begun is not None:
            seconds = (event.recorded_at - begun).total_seconds()
            self._acknowledgement.labels(event.account).observe(max(seconds, 0))


def _settled_by(event: Event) -> str | None:
    """Return what settled an outcome that was unknown until then, if the event says so."""
    by = event.data.get("evidence" if event.type == "sent" else "class")
    return by if by in SETTLEMENTS else None


def _outcome(event: Event) -> str | None:
    """Return the outcome of an attempt, if the event is the first that says one."""
    match event.type:
        case "sent" | "rejected":
            return event.type
        case "attempt_failed":
            class_ = str(event.data.get("class"))
            return class_ if class_ in OUTCOMES else "failed"
        case "attempt_unknown" if "error" in event.data:
            return "unknown"
        case _:  # among others an unknown attempt's trace, which has a message id and no error
            return None
