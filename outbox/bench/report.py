"""The result as tables, for a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from outbox.bench.result import MEASURES, Result, Spread, Standing

_HEADINGS = {
    "drain": ("drain", "jobs/s"),
    "enqueue_single": ("enqueue,\none a commit", "jobs/s"),
    "enqueue_batch": ("enqueue,\nin batches", "jobs/s"),
    "latency_p50": ("to the handler,\nmedian", "ms"),
    "latency_p99": ("to the handler,\n99 of 100", "ms"),
}
"""What each measure is called, and its unit."""


def tables(result: Result) -> RenderableType:
    """Return the figures, the comparisons if there are any, and how it was measured."""
    parts: list[RenderableType] = [_figures(result)]
    if any(standing.times_as_good for standing in result.standings):
        parts.append(_comparisons(result))
    parts += [Text(line, style="dim") for line in _notes(result)]
    return Group(*parts)


def _figures(result: Result) -> Table:
    table = Table(title=f"Medians of {result.rounds} rounds (lowest - highest)", title_style="bold")
    table.add_column("")
    for measure in MEASURES:
        name, unit = _HEADINGS[measure]
        table.add_column(f"{name}, {unit}", justify="right")
    for standing in result.standings:
        figures = standing.figures
        cells = [_cell(figures[measure]) if figures else "" for measure in MEASURES]
        if not figures:
            cells[0] = "failed" if standing.installed else "not installed"
        table.add_row(standing.name, *cells)
    return table


def _comparisons(result: Result) -> Table:
    table = Table(title="The outbox is … times as fast as", title_style="bold")
    table.add_column("")
    for measure in MEASURES:
        table.add_column(_HEADINGS[measure][0], justify="right")
    for standing in result.standings:
        if ratios := standing.times_as_good:
            table.add_row(standing.name, *(f"{ratios[name].median:.2f}" for name in MEASURES))
    return table


def _notes(result: Result) -> list[str]:
    work = result.workload
    amounts = (
        f"{work.queued:,} jobs drained and enqueued in batches of {work.batch:,}, {work.single:,} "
        f"one a commit, {work.wakeups} wake-ups."
    )
    about = [
        amounts,
        "Server: " + ", ".join(f"{name} {value}" for name, value in result.server.items()) + ".",
        "Machine: " + ", ".join(f"{name} {value}" for name, value in result.machine.items()) + ".",
    ]
    return about + [_note(standing) for standing in result.standings]


def _note(standing: Standing) -> str:
    parts = (f"{standing.name} {standing.version}".strip(), standing.settings, standing.problem)
    return ": ".join(part for part in parts if part)


def _cell(spread: Spread) -> str:
    digits = 0 if spread.highest >= 100 else 2  # noqa: PLR2004 - rates are large, times are not
    middle, low, high = (
        f"{figure:,.{digits}f}" for figure in (spread.median, spread.lowest, spread.highest)
    )
    return f"{middle}\n[dim]{low} - {high}[/dim]"
