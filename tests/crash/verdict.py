"""The verdict on a run: the ledger, the log and the projections, judged by each rule.

The ledger is the other side's own. Nothing here believes the outbox where the ledger can be asked.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row

from outbox.session.phone import Frame, by_notification
from tests.crash.stage import Stage

SUCCESS = frozenset({"sent", "delivered", "read", "played"})
NOT_LEFT = frozenset({"never_left", "not_sent"})


class Verdict(NamedTuple):
    """What a run came to."""

    accepted: int
    delivered: int
    """Distinct ones in the ledger."""
    held: int
    """Left unknown, since they say `hold`."""
    doubled: int
    breaches: list[str]
    """Each breach of a rule, with what it is about."""


def judge(stage: Stage, dead_letters: Mapping[UUID, str] | None = None) -> Verdict:
    """Judge a run that has ended.

    Args:
        stage: The run.
        dead_letters: Those accepted that were meant to end without success, and how.
    """
    frames = stage.frames()
    arrived = by_notification(frames)
    rows = {row.id: row for row in _read(stage.url, "select * from outbox.notification")}
    events = _read(stage.url, "select * from outbox.event order by position")
    timelines: defaultdict[UUID, list[Any]] = defaultdict(list)
    for event in events:
        timelines[event.stream].append(event)
    breaches = [
        *_nothing_lost(stage.accepted, rows, arrived, dead_letters or {}),
        *_nothing_doubled_unsaid(rows, arrived, timelines),
        *_nothing_sent_that_never_left(arrived, timelines),
        *_in_order(rows, frames),
        *_attempts_add_up(rows, timelines, frames),
        *_fenced(events),
        *_rebuilt(stage.url),
    ]
    doubled = sum(len(of_one) > 1 for of_one in arrived.values())
    held = sum(row.state == "unknown" for row in rows.values())
    return Verdict(len(stage.accepted), len(arrived), held, doubled, breaches)


def _read(url: str, query: LiteralString) -> list[Any]:
    with psycopg.connect(url, row_factory=namedtuple_row) as database:
        return list(database.execute(query))


def _nothing_lost(
    accepted: Sequence[UUID],
    rows: Mapping[UUID, Any],
    arrived: Mapping[UUID, Sequence[Frame]],
    dead_letters: Mapping[UUID, str],
) -> Iterator[str]:
    """Each accepted one has ended as it should, and it has arrived.

    One that says `hold` and left a trace may be waiting for an operator: the log says so.
    """
    for id_ in accepted:
        row = rows.get(id_)
        if row is None:
            yield f"lost: {id_} was accepted and is not in the outbox"
        elif id_ in dead_letters:
            if row.state != dead_letters[id_]:
                yield f"not ended as expected: {id_} is {row.state}, not {dead_letters[id_]}"
        elif row.state == "unknown" and row.on_unknown == "hold" and row.message_id is not None:
            continue
        elif row.state not in SUCCESS:
            yield f"not ended: {id_} is {row.state}"
        elif id_ not in arrived:
            yield f"lost: {id_} is {row.state} and never arrived"
    for id_ in arrived.keys() - set(accepted):
        yield f"made up: {id_} arrived, which nobody enqueued"


def _nothing_doubled_unsaid(
    rows: Mapping[UUID, Any],
    arrived: Mapping[UUID, Sequence[Frame]],
    timelines: Mapping[UUID, Sequence[Any]],
) -> Iterator[str]:
    """Each doubled one says in its timeline which attempt was unknown; at most once is held to."""
    for id_, frames in arrived.items():
        numbers = [frame.attempt for frame in frames]
        if len(set(numbers)) < len(numbers):
            yield f"doubled: {id_} arrived twice by one attempt, {numbers}"
        if id_ in rows and rows[id_].on_unknown == "hold" and len(numbers) > 1:
            yield f"doubled: {id_} says at most once and arrived by attempts {numbers}"
        unknown = {e.data["attempt"] for e in timelines[id_] if e.type == "attempt_unknown"}
        for number in numbers[:-1]:
            if number not in unknown:
                yield f"doubled: {id_} arrived by attempt {number}, of which the log says nothing"


def _nothing_sent_that_never_left(
    arrived: Mapping[UUID, Sequence[Frame]], timelines: Mapping[UUID, Sequence[Any]]
) -> Iterator[str]:
    """What the log says has never left is not in the ledger."""
    for id_, frames in arrived.items():
        said = {
            e.data["attempt"]: e.data["class"]
            for e in timelines[id_]
            if e.type == "attempt_failed" and e.data["class"] in NOT_LEFT
        }
        for frame in frames:
            if frame.attempt in said:
                yield f"the log says {said[frame.attempt]} of {id_}:{frame.attempt}, it arrived"


def _in_order(rows: Mapping[UUID, Any], frames: Sequence[Frame]) -> Iterator[str]:
    """To each recipient, the first arrivals of one priority are in the order of enqueueing.

    What says `hold` lets others go on while it is unknown, so it may come late.
    """
    latest: dict[tuple[str, int], tuple[int, UUID]] = {}
    seen: set[UUID] = set()
    for frame in frames:
        row = rows.get(frame.notification)
        if row is None or frame.notification in seen or row.on_unknown == "hold":
            continue
        seen.add(frame.notification)
        lane = frame.jid, row.priority
        before = latest.get(lane)
        if before is not None and before[0] > row.position:
            yield f"out of order: {row.id} (position {row.position}) came after {before}"
        latest[lane] = row.position, row.id


def _attempts_add_up(
    rows: Mapping[UUID, Any], timelines: Mapping[UUID, Sequence[Any]], frames: Sequence[Frame]
) -> Iterator[str]:
    """Attempts are numbered 1, 2, 3 …, versions too, and nothing arrives without an attempt."""
    for id_, row in rows.items():
        timeline = timelines[id_]
        started = [e.data["attempt"] for e in timeline if e.type == "attempt_started"]
        if started != list(range(1, len(started) + 1)) or row.attempts != len(started):
            yield f"attempts of {id_}: {started} in the log, {row.attempts} in the projection"
        versions = [e.version for e in timeline]
        if versions != list(range(1, len(versions) + 1)) or row.version != len(versions):
            yield f"versions of {id_}: {versions} in the log, {row.version} in the projection"
        if row.state in SUCCESS and sum(e.type == "sent" for e in timeline) != 1:
            yield f"{id_} is {row.state}, and its log does not say `sent` once"
    for frame in frames:
        row = rows.get(frame.notification)
        if row is not None and frame.attempt > row.attempts:
            yield f"attempt {frame.attempt} of {row.id} arrived; the log has {row.attempts}"


def _fenced(events: Sequence[Any]) -> Iterator[str]:
    """The epochs that wrote never go back."""
    latest: defaultdict[str, int] = defaultdict(int)
    for event in events:
        epoch = event.data.get("epoch") or event.metadata.get("epoch")
        if epoch is not None:
            if epoch < latest[event.account]:
                yield f"epoch {epoch} wrote {event.type} after epoch {latest[event.account]}"
            latest[event.account] = epoch


def _rebuilt(url: str) -> Iterator[str]:
    """Projections rebuilt from the log are the live ones, row for row."""
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("select outbox.begin_replay('judged')")
        position: int | None = 0
        while position is not None:
            row = database.execute("select outbox.replay('judged', %s)", (position,)).fetchone()
            position = row[0] if row else None
        for difference in database.execute("select * from outbox.replay_differences('judged')"):
            yield f"a rebuild differs: {difference}"
        database.execute("drop schema judged cascade")
