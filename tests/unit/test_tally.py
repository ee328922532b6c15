"""What is counted of the log: by account and by the log's words, and nothing that names anybody."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from prometheus_client import CollectorRegistry

from outbox.log.follow import Event
from outbox.web import tally
from outbox.web.tally import Tally

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)


class Story:
    """Events of a log, and a tally that takes them."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.registry = CollectorRegistry()
        self.registry.register(self.tally)
        self._positions = count(1)

    def tell(self, stream: UUID, type_: str, seconds: float = 0, **data: Any) -> None:  # noqa: ANN401
        """Let something happen so long after the beginning."""
        position = next(self._positions)
        at = NOW + timedelta(seconds=seconds)
        self.tally.take(
            [Event(position, at, "main", stream, position, type_, json.dumps(data), "{}")]
        )

    def value(self, name: str, **labels: str) -> float | None:
        """Return the value of a sample, of account main."""
        return self.registry.get_sample_value(name, {"account": "main", **labels})

    def attempts(self) -> dict[str, float]:
        """Return the attempts by outcome, those that there are."""
        found = {one: self.value("outbox_attempts_total", outcome=one) for one in tally.OUTCOMES}
        return {name: value for name, value in found.items() if value}


def test_what_becomes_of_notifications_is_counted() -> None:
    """By type, each event once."""
    story = Story()
    for _ in range(3):
        story.tell(uuid4(), "enqueued")
    story.tell(uuid4(), "cancelled", state="pending")
    assert story.value("outbox_notifications_total", type="enqueued") == 3
    assert story.value("outbox_notifications_total", type="cancelled") == 1
    assert story.value("outbox_notifications_total", type="attempt_started") is None


def test_an_attempt_is_counted_by_its_outcome() -> None:
    """Failures that cost no attempt are told apart from those that do."""
    story = Story()
    cases: tuple[tuple[str, dict[str, Any]], ...] = (
        ("sent", {"message_id": "3EB0"}),
        ("rejected", {"error": "not on WhatsApp"}),
        ("attempt_failed", {"class": "transient"}),
        ("attempt_failed", {"class": "not_sent"}),
        ("attempt_failed", {"class": "throttled"}),
        ("attempt_unknown", {"error": "no acknowledgement"}),
    )
    for type_, data in cases:
        story.tell(uuid4(), type_, attempt=1, **data)
    assert story.attempts() == dict.fromkeys(tally.OUTCOMES, 1)


def test_an_unknown_outcome_is_counted_once_however_it_is_settled() -> None:
    """Its trace and what settles it are no further attempts."""
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("sent", {"evidence": "receipt"}, "receipt"),
        ("attempt_failed", {"class": "never_left"}, "never_left"),
        ("attempt_failed", {"class": "unconfirmed"}, "unconfirmed"),
    )
    for type_, data, by in cases:
        story, stream = Story(), uuid4()
        story.tell(stream, "attempt_started", attempt=1)
        story.tell(stream, "attempt_unknown", attempt=1, error="the worker lost its lease")
        story.tell(stream, "attempt_unknown", attempt=1, message_id="3EB0")
        story.tell(stream, type_, attempt=1, **data)
        assert story.attempts() == {"unknown": 1}
        assert story.value("outbox_settlements_total", by=by) == 1
        assert not story.value("outbox_acknowledgement_seconds_count")


def test_an_acknowledgement_is_timed_by_the_log() -> None:
    """From the start of its own attempt, by the times of the log."""
    story, stream = Story(), uuid4()
    story.tell(stream, "attempt_started", 0, attempt=1)
    story.tell(stream, "attempt_failed", 5, attempt=1, **{"class": "transient"})
    story.tell(stream, "attempt_started", 60, attempt=2)
    story.tell(stream, "sent", 60.4, attempt=2, message_id="3EB0")
    assert story.value("outbox_acknowledgement_seconds_count") == 1
    assert story.value("outbox_acknowledgement_seconds_sum") == 0.4
    assert story.value("outbox_acknowledgement_seconds_bucket", le="0.25") == 0
    assert story.value("outbox_acknowledgement_seconds_bucket", le="0.5") == 1


def test_an_attempt_that_began_earlier_is_counted_and_not_timed() -> None:
    """Whatever began before this process did."""
    story = Story()
    story.tell(uuid4(), "sent", attempt=1, message_id="3EB0")
    assert story.attempts() == {"sent": 1}
    assert not story.value("outbox_acknowledgement_seconds_count")


def test_attempts_without_an_outcome_are_forgotten() -> None:
    """No memory grows with what is never answered."""
    story = Story()
    for _ in range(tally.MOST + 5):
        story.tell(uuid4(), "attempt_started", attempt=1)
    assert len(story.tally._begun) == tally.MOST


def test_an_account_begins_at_zero() -> None:
    """Before anything happens, so that the first increase is one."""
    story = Story()
    assert story.value("outbox_notifications_total", type="rejected") is None
    story.tally.expect(["main"])
    assert story.value("outbox_notifications_total", type="rejected") == 0
    assert story.value("outbox_attempts_total", outcome="unknown") == 0
    assert story.value("outbox_connection_events_total", type="logged_out") == 0
    assert story.value("outbox_acknowledgement_seconds_count") == 0


def test_no_label_names_anybody() -> None:
    """Labels are accounts and words of the log, whatever the events say."""
    story, stream = Story(), uuid4()
    story.tell(stream, "attempt_started", attempt=1, recipient=str(uuid4()))
    story.tell(stream, "attempt_failed", 1, attempt=1, error="no +447700900123", **{"class": "?"})
    story.tell(stream, "sent", attempt=1, evidence="447700900123@s.whatsapp.net")
    words = {*tally.NOTIFICATIONS, *tally.OUTCOMES, *tally.SETTLEMENTS, "main"}
    for metric in story.registry.collect():
        for sample in metric.samples:
            assert {value for name, value in sample.labels.items() if name != "le"} <= words
