"""The drain of the outbox under what years of use and a careless neighbour do to a database.

Each condition has a database of its own, prepared once; the rounds take turns between them, so
that all meet the same weather, and each is compared with the empty one of its own round.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from outbox.bench import database
from outbox.bench.outbox_subject import OutboxSubject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EMPTY = "empty"
FINISHED = 1_000_000
PENDING = 100_000
_PAGE = 20_000

_FINISHED = """
with notification as materialized (
    select outbox.uuid7() as id from generate_series(1, %(count)s)
), recipient as (
    select array_agg(recipient) as ids from outbox.identity
)
insert into outbox.event (account, stream, version, type, data)
select 'main', n.id, e.version, e.type, e.data
from notification n, recipient r, lateral (values
    (1, 'enqueued', jsonb_build_object(
        'recipient', r.ids[1 + floor(random() * cardinality(r.ids))::integer],
        'content', encode(sha256('bench'), 'hex'), 'priority', 0,
        'expires_at', now() + interval '1 day', 'max_attempts', 10, 'on_unknown', 'resend')),
    (2, 'attempt_started', '{"attempt": 1}'::jsonb),
    (3, 'sent', jsonb_build_object('attempt', 1, 'message_id', '3EB0' || n.id::text))
) e (version, type, data)
"""


@dataclass(frozen=True)
class Condition:
    """What was found under one condition.

    Attributes:
        name: The condition.
        drained: Notifications drained a second, by round.
        beside_empty: The same as a part of what the empty database reached, the median of rounds.
    """

    name: str
    drained: tuple[float, ...]
    beside_empty: float


def measure(
    url: str, *, rounds: int, count: int, progress: Callable[[str], None]
) -> list[Condition]:
    """Hand over `count` notifications per round under each condition.

    Args:
        url: A server where databases may be made.
        rounds: How often.
        count: How many notifications each time.
        progress: Called with a line before each step.
    """
    drained: dict[str, list[float]] = {EMPTY: [], **{name: [] for name in _PREPARE}}
    with ExitStack() as stack:
        subjects: dict[str, tuple[OutboxSubject, str]] = {}
        for name in drained:
            progress(f"preparing: {name}")
            own = stack.enter_context(database.fresh(url, "condition"))
            subject = OutboxSubject()
            subject.setup(own)
            subject.enqueue_batch(2_000, 1_000)
            subject.drain(2_000)
            if name in _PREPARE:
                stack.enter_context(_PREPARE[name](own, subject))
            subjects[name] = subject, own
        for turn in range(rounds):
            for name, (subject, own) in subjects.items():
                progress(f"round {turn + 1} of {rounds}: {name}")
                subject.enqueue_batch(count, 1_000)
                database.settle(own)
                drained[name].append(count / subject.drain_first(count))
    return [
        Condition(
            name,
            tuple(rates),
            statistics.median(
                rate / free for rate, free in zip(rates, drained[EMPTY], strict=True)
            ),
        )
        for name, rates in drained.items()
    ]


@contextmanager
def _finished(url: str, _subject: OutboxSubject) -> Iterator[None]:
    """Have a history of a million notifications that were sent."""
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(FINISHED // _PAGE):
            connection.execute(_FINISHED, {"count": _PAGE})
    yield


@contextmanager
def _pending(_url: str, subject: OutboxSubject) -> Iterator[None]:
    """Have a hundred thousand more in the queue than are drained."""
    subject.enqueue_batch(PENDING, 1_000)
    yield


@contextmanager
def _pinned(url: str, _subject: OutboxSubject) -> Iterator[None]:
    """Have a transaction that has written and stays open: no dead row may be removed."""
    with psycopg.connect(url) as connection:
        connection.execute("select pg_current_xact_id()")
        yield
        connection.rollback()


_PREPARE = {
    f"{FINISHED:,} finished": _finished,
    f"{PENDING:,} pending": _pending,
    "pinned horizon": _pinned,
}
