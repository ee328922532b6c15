"""How the demo tells: lines with the time, a bar that shows what the phone has, a picture."""

from __future__ import annotations

import io
import re
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from rich.console import RenderableType

_WIDTH = 88
_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}\s*")


class Telling:
    """Tells on a console, and keeps a picture of what it has told, without the bar.

    Args:
        console: Where to.
    """

    def __init__(self, console: Console) -> None:
        self._picture = Console(
            record=True, file=io.StringIO(), width=_WIDTH, force_terminal=True, legacy_windows=False
        )
        self._consoles = (console, self._picture)
        self._began = time.monotonic()
        self._progress = Progress(
            TextColumn("  on the phone"),
            BarColumn(40),
            MofNCompleteColumn(),
            console=console,
            transient=True,
        )
        self._bar = self._progress.add_task("", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, arrived: int, accepted: int) -> None:
        """Show how many have arrived."""
        self._progress.update(self._bar, completed=arrived, total=accepted)

    def say(self, what: str) -> None:
        """Tell what happens now."""
        self.put(f"[dim]{time.monotonic() - self._began:5.1f} s[/]  {what}")

    def put(self, what: RenderableType = "", *, whole: bool = False) -> None:
        """Tell something without a time; `whole` lines may be longer than the console is wide."""
        for console in self._consoles:
            console.print(what, highlight=False, soft_wrap=whole)

    def draw(self, path: Path) -> None:
        """Write the picture, which loads nothing from elsewhere: any monospaced font will do."""
        picture = self._picture.export_svg(title="outbox demo")
        path.write_text(_FONT_FACE.sub("", picture), "utf-8")
