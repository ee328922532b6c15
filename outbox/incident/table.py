"""A list of a report, whatever it lists and however it is written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

_TEXTS: Final = frozenset(
    {"Why", "Last error", "Cause", "First cause", "Doubt", "Decision", "Then", "What happened"}
)


@dataclass(frozen=True, slots=True)
class Table:
    """A list of rows."""

    name: str
    """Of one word, for whoever links to it."""
    title: str
    about: str
    """What it lists, and in which order."""
    headings: list[str]
    rows: list[list[str]]
    empty: str
    """What is said where there are no rows."""
    left_out: int = 0
    numbers: frozenset[str] = field(default_factory=frozenset)
    """Headings of columns that are counts."""
    texts: frozenset[str] = _TEXTS
    """Headings of columns whose cells may be long."""


def without_account(table: Table) -> Table:
    """Return a table without the column that would say the same in each row."""
    if "Account" not in table.headings:
        return table
    at = table.headings.index("Account")
    headings, *rows = (row[:at] + row[at + 1 :] for row in (table.headings, *table.rows))
    return replace(table, headings=headings, rows=rows)
