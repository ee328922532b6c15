"""The reckoning: what was accepted, held against the phone's ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.table import Table

from outbox.session.phone import by_notification

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from outbox.log.database import Connection
    from outbox.session.phone import Frame

_COLUMNS = ("accepted", "arrived", "doubled", "expired", "lost")


@dataclass
class Reckoning:
    """What was accepted, by name, and what the phone has of it."""

    names: dict[UUID, str] = field(default_factory=dict)
    """Of each notification whose transaction was committed."""
    rolled_back: set[UUID] = field(default_factory=set)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    """By name, then by column."""
    doubts: dict[tuple[UUID, int], None] = field(default_factory=dict)
    """Attempts whose outcome was unknown for a while, as the log says."""
    wrong: list[str] = field(default_factory=list)
    """What does not add up."""

    def accept(self, name: str, *notifications: UUID) -> None:
        """Know of notifications whose transaction was committed."""
        self.names.update(dict.fromkeys(notifications, name))

    @property
    def total(self) -> Counter[str]:
        """All counts."""
        return sum(self.counts.values(), Counter())

    def read(self, connection: Connection) -> set[UUID]:
        """Ask the log for what no ledger can say: which are dead letters, and what was in doubt."""
        self.doubts = dict.fromkeys(
            (stream, attempt)
            for stream, attempt in connection.execute(
                "select stream, (data->>'attempt')::integer from outbox.event"
                " where type = 'attempt_unknown' order by position"
            )
        )
        rows = connection.execute("select stream from outbox.event where type = 'expired'")
        return {stream for (stream,) in rows}

    def judge(self, frames: Iterable[Frame], expired: set[UUID]) -> None:
        """Hold what was accepted against what the phone has received."""
        arrived = by_notification(frames)
        for id_, name in self.names.items():
            counts = self.counts.setdefault(name, Counter())
            counts["accepted"] += 1
            received = arrived.get(id_, [])
            if received:
                counts["arrived"] += 1
            elif id_ in expired:
                counts["expired"] += 1
            else:
                counts["lost"] += 1
                self.wrong.append(f"{id_} was accepted and did not arrive")
            if len(received) > 1:
                counts["doubled"] += 1
                if any((id_, frame.attempt) not in self.doubts for frame in received[:-1]):
                    self.wrong.append(f"{id_} arrived twice, and the log does not say why")
        for id_ in arrived.keys() - self.names.keys():
            what = "was rolled back" if id_ in self.rolled_back else "was never enqueued"
            self.wrong.append(f"{id_} {what} and arrived")

    def table(self) -> Table:
        """Return the table of it."""
        table = Table(
            title="What the phone received, by its own ledger",
            title_justify="left",
            title_style="bold",
            show_footer=True,
        )
        total = self.total
        table.add_column("notification", footer="together", no_wrap=True)
        for column in _COLUMNS:
            table.add_column(column, footer=str(total[column]), justify="right", no_wrap=True)
        for name, counts in self.counts.items():
            table.add_row(name, *(str(counts[column] or "·") for column in _COLUMNS))
        return table
