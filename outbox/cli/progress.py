"""A counter on stderr, while something takes long; where there is no terminal it is silent."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from outbox.cli.terminal import err

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def counter(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Count what is called for: `12,000 lines  0:00:03`, with a bar if the end is known."""
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    console = err()
    ending = [BarColumn()] if total is not None else []
    with Progress(
        SpinnerColumn(),
        TextColumn(f"{{task.completed:,.0f}} {what}"),
        *ending,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def replaying(last: int) -> Iterator[Callable[[int, int], None]]:
    """Show how far a rebuild of the log is that has so many positions; hand out what it tells."""
    with counter("events", last) as count:
        before = 0

        def tell(done: int, last: int) -> None:
            nonlocal before
            del last
            count(done - before)
            before = done

        yield tell
