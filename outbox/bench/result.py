"""The result of a benchmark: medians with their spread, and how the outbox compares."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from outbox.bench.measure import Reading, Share
from outbox.bench.subject import OUTBOX
from outbox.bench.workload import Workload

MEASURES = tuple(field.name for field in fields(Reading))
_LESS_IS_BETTER = ("latency_p50", "latency_p99")


@dataclass(frozen=True)
class Spread:
    """Where a figure lay over the rounds."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Self:
        """Return the spread of figures, at least one."""
        return cls(statistics.median(figures), min(figures), max(figures))


@dataclass(frozen=True)
class Standing:
    """What all rounds say of one subject.

    Attributes:
        name: The subject.
        version: The version of what was measured.
        settings: How it was set up.
        installed: Whether its library is there; if not, nothing was measured.
        problem: Why there are no figures, or not of every round.
        figures: The spread of each measure; empty if no round gave a reading.
        times_as_good: How many times as many jobs a second the outbox did, or how many times as
            soon its handler was called: the ratio of each round, and their spread. Empty for the
            outbox itself, and where rounds of both are missing.
        readings: The rounds, in order; None where one gave no reading.
    """

    name: str
    version: str
    settings: str
    installed: bool
    problem: str
    figures: Mapping[str, Spread]
    times_as_good: Mapping[str, Spread]
    readings: Sequence[Reading | None]


@dataclass(frozen=True)
class Result:
    """A benchmark.

    Attributes:
        taken_at: When it began, in ISO 8601 with the offset from UTC.
        server: The server's version and the settings that decide what a commit costs.
        machine: Processors, system and Python of the machine that ran the subjects.
        workload: The work of a round.
        rounds: How many rounds there were.
        standings: The subjects in the order of a round.
    """

    taken_at: str
    server: Mapping[str, str]
    machine: Mapping[str, str]
    workload: Workload
    rounds: int
    standings: Sequence[Standing]

    def as_dict(self) -> dict[str, Any]:
        """Return the result as json.dumps takes it."""
        return asdict(self)


def standings(shares: Mapping[str, Sequence[Share]]) -> list[Standing]:
    """Return what the shares of each subject, one a round, add up to."""
    ours = [share.reading for share in shares.get(OUTBOX, ())]
    return [_standing(name, taken, ours) for name, taken in shares.items()]


def _standing(name: str, shares: Sequence[Share], ours: Sequence[Reading | None]) -> Standing:
    readings = [share.reading for share in shares]
    known = [reading for reading in readings if reading is not None]
    pairs = [
        (mine, theirs)
        for mine, theirs in zip(ours, readings, strict=False)
        if mine is not None and theirs is not None and name != OUTBOX
    ]
    return Standing(
        name=name,
        version=next((share.version for share in shares if share.version), ""),
        settings=next((share.settings for share in shares if share.settings), ""),
        installed=all(share.installed for share in shares),
        problem="; ".join(dict.fromkeys(share.problem for share in shares if share.problem)),
        figures={
            measure: Spread.of([getattr(reading, measure) for reading in known])
            for measure in MEASURES
            if known
        },
        times_as_good={
            measure: Spread.of([_ratio(measure, mine, theirs) for mine, theirs in pairs])
            for measure in MEASURES
            if pairs
        },
        readings=readings,
    )


def _ratio(measure: str, mine: Reading, theirs: Reading) -> float:
    ratio = float(getattr(mine, measure)) / float(getattr(theirs, measure))
    return 1 / ratio if measure in _LESS_IS_BETTER else ratio
