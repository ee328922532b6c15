"""Rounds of the benchmark: the subjects take turns, so that all of them meet the same weather.

A machine is slower in one minute than in the next. Measuring one subject five times and then the
other five times would count that for or against one of them; here each round measures everybody,
a comparison is made within a round, and of the rounds' comparisons the median is taken.
"""

import os
import platform
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from outbox.bench import database
from outbox.bench.measure import Share, share
from outbox.bench.result import Result, standings
from outbox.bench.subject import SUBJECTS
from outbox.bench.workload import Workload

ROUNDS = 5


def run(
    url: str,
    *,
    rounds: int = ROUNDS,
    subjects: Sequence[str] = tuple(SUBJECTS),
    workload: Workload | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Result:
    """Measure the subjects on a server and return what was found.

    Args:
        url: A database of the server, as a role that may create databases. Every subject gets a
            database of its own, which is dropped afterwards; this one is only connected to.
        rounds: How often everybody is measured.
        subjects: Their names, of those in `SUBJECTS`.
        workload: The work of a round; by default the one that figures are published for.
        progress: Called with a line before each subject's turn.

    Raises:
        NotDurableError: The server's commits do not wait for the disk.
        KeyError: There is no subject of a name.
    """
    workload = workload or Workload()
    taken_at = datetime.now(UTC).isoformat(timespec="seconds")
    server = database.durability(url)
    shares: dict[str, list[Share]] = {name: [] for name in subjects}
    for turn in range(rounds):
        for name in subjects:
            if shares[name] and not shares[name][0].installed:
                continue
            progress(f"round {turn + 1} of {rounds}: {name}")
            shares[name].append(share(name, url, workload))
    return Result(
        taken_at=taken_at,
        server=server,
        machine={
            "processors": str(os.cpu_count()),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
        },
        workload=workload,
        rounds=rounds,
        standings=standings(shares),
    )
