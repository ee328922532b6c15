"""The reckoning: what was accepted, held against the phone's ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.table import Table

from outbox.session.phone import Ledger, by_notification

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from outbox.log.database import Connection

_COLUMNS = ("accepted", "delivered", "doubled", "expired", "lost")


@dataclass
class Reckoning:
    """What was accepted, by name, and what the phone has of it."""

    names: dict[UUID, str] = field(default_factory=dict)
    """Of each notification whose transaction was committed."""
    rolled_back: list[UUID] = field(default_factory=list)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    """By name, then by column."""
    doubled: list[UUID] = field(default_factory=list)
    doubts: int = 0
    """Attempts whose outcome was unknown for a while."""
    wrong: list[str] = field(default_factory=list)
    """What does not add up."""

    @property
    def total(self) -> Counter[str]:
        """All counts."""
        return sum(self.counts.values(), Counter())

    def take(self, ledger: Path, connection: Connection) -> None:
        """Read the ledger, and ask the log only for what the ledger cannot say."""
        arrived = by_notification(Ledger.read(ledger))
        expired = {
            stream
            for (stream,) in connection.execute(
                "select stream from outbox.event where type = 'expired'"
            )
        }
        doubts = {
            (stream, attempt)
            for stream, attempt in connection.execute(
                "select stream, (data->>'attempt')::integer from outbox.event"
                " where type = 'attempt_unknown'"
            )
        }
        self.doubts = len(doubts)
        for id_, name in self.names.items():
            counts = self.counts.setdefault(name, Counter())
            counts["accepted"] += 1
            frames = arrived.get(id_, [])
            if frames:
                counts["delivered"] += 1
            elif id_ in expired:
                counts["expired"] += 1
            else:
                counts["lost"] += 1
                self.wrong.append(f"{id_} was accepted and did not arrive")
            if len(frames) > 1:
                counts["doubled"] += 1
                self.doubled.append(id_)
                if any((id_, frame.attempt) not in doubts for frame in frames[:-1]):
                    self.wrong.append(f"{id_} arrived twice, and the log does not say why")
        for id_ in arrived.keys() - self.names.keys():
            what = "was rolled back" if id_ in self.rolled_back else "was never enqueued"
            self.wrong.append(f"{id_} {what} and arrived")

    def table(self) -> Table:
        """Return the table of it."""
        table = Table(title="By the phone's own ledger", title_justify="left", show_footer=True)
        total = self.total
        table.add_column("notification", footer="together")
        for column in _COLUMNS:
            table.add_column(column, footer=str(total[column]), justify="right")
        for name, counts in self.counts.items():
            table.add_row(name, *(str(counts[column] or "·") for column in _COLUMNS))
        return table
