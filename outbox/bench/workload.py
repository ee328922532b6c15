"""The work that every subject is given: how much of it, what a job holds, when one arrives."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

Payload = dict[str, str]
"""What a job holds: a short text to a phone number (of the range kept free for fiction)."""


@dataclass(frozen=True)
class Workload:
    """How much work a round of a subject is.

    Attributes:
        single: Jobs enqueued one a commit.
        queued: Jobs enqueued in batches, and drained.
        batch: Jobs in a batch of those, one commit each.
        wakeups: Jobs that an idle worker is woken for, one after another.
    """

    single: int = 2_000
    queued: int = 20_000
    batch: int = 1_000
    wakeups: int = 200


RECIPIENTS = 2_000
"""So many phones take turns; a job for each would measure first contacts only."""

IDLE = 1.0
"""Seconds that a worker is left alone before the first job comes to wake it."""

PATIENCE = 10.0
"""Seconds after which a job that no handler was called for counts as lost."""


class LostJobError(Exception):
    """A job was not handled, or not recorded as done, though the worker thinks it is through."""


def payload(number: int) -> Payload:
    """Return what the job of a number holds."""
    return {
        "to": f"+4477009{number % RECIPIENTS:05d}",
        "kind": "text",
        "text": f"Your order {number} has shipped",
    }


def batches(count: int, size: int) -> Iterator[list[Payload]]:
    """Yield that many jobs in batches; the last one may be smaller."""
    for start in range(0, count, size):
        yield [payload(number) for number in range(start, min(start + size, count))]


def arrivals(count: int) -> Iterator[tuple[float, Payload]]:
    """Yield jobs with the seconds to wait before each: 50 ms, give or take half of it.

    The jitter keeps arrivals from falling into step with anybody's polling; its seed is fixed,
    so everybody waits the same.
    """
    jitter = random.Random(0)  # noqa: S311 - nothing here is a secret
    for number in range(count):
        yield jitter.uniform(0.025, 0.075), payload(number)
