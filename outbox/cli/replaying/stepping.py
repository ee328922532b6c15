"""`outbox replay --step`: event by event, forward and back, with the state after each."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from outbox.cli.choosing import moment
from outbox.cli.exits import ExitCode, Failure
from outbox.cli.keys import pressed
from outbox.cli.opening import opened
from outbox.cli.tail import line
from outbox.cli.terminal import out, write_json_line
from outbox.words import narrative

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Group
    from rich.table import Table

    from outbox.log.follow import Event
    from outbox.log.steps import Steps

_FORWARD = frozenset({"n", "l", "j", " ", "\x1b[C", "\x1b[B", "\x1bOC", "\x1bOB"})
_BACK = frozenset({"p", "h", "k", "\x1b[D", "\x1b[A", "\x1bOD", "\x1bOA"})
_FIRST = frozenset({"g", "\x1b[H", "\x1bOH"})
_LAST = frozenset({"G", "\x1b[F", "\x1bOF"})
_KEYS = "→ next   ← back   g first   G last   q ends it"
_HEAD = 6
"""Lines of the screen that are neither events nor the rows of the state."""
_KEPT = 100
"""Events behind the one that is looked at which are not read again."""


def step(
    url: str | None, notification: str | None, account: str | None, since: str | None, *, json: bool
) -> None:
    """Walk through the events of a notification, of an account or of the whole log.

    Raises:
        Failure: There is no terminal to draw on and to read keys from, or no event.
    """
    from outbox.log import notifications  # noqa: PLC0415
    from outbox.log.replay import last_position  # noqa: PLC0415
    from outbox.log.steps import Steps  # noqa: PLC0415

    if not json and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Failure(
            ExitCode.USAGE,
            "It draws on a terminal and reads its keys, and there is none: give --json, which "
            "writes each event with the state after it",
        )
    with opened(url) as connection:
        stream = notifications.find(connection, notification) if notification else None
        steps = Steps(connection, stream, account)
        begin = 0
        start = moment(connection, "--since", since, -1)
        if start is not None:
            back = notifications.positions_since(connection, start)
            begin = last_position(connection) - back
        if json:
            _write(steps, begin)
            return
        with suppress(KeyboardInterrupt):  # it is a way to end it
            _walk(steps, begin)


def _write(steps: Steps, begin: int) -> None:
    """Write each event with the state after it, a line an event."""
    while events := steps.after(begin):
        for event in events:
            write_json_line({**narrative.document(event), "state": steps.state(event)})
        begin = events[-1].position


def _walk(steps: Steps, begin: int) -> None:
    """Draw one event after the other, as keys say."""
    from rich.live import Live  # noqa: PLC0415

    window = _Window(steps, begin)
    console = out()
    with pressed() as wait, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(_screen(window, console.height), refresh=True)
            match _key(wait):
                case "q" | "\x1b":
                    return
                case key if key in _FORWARD:
                    window.forward()
                case key if key in _BACK:
                    window.back()
                case key if key in _FIRST:
                    window.first()
                case key if key in _LAST:
                    window.last()


class _Window:
    """Some events of many, one of which is looked at; read on at both ends as it is needed.

    Raises:
        Failure: There is no event.
    """

    def __init__(self, steps: Steps, begin: int) -> None:
        self.steps = steps
        self.at = 0
        self.events = steps.after(begin) or steps.before(steps.end())
        if not self.events:
            raise Failure(ExitCode.NOT_FOUND, "There is no such event in the log")

    @property
    def event(self) -> Event:
        """The one that is looked at."""
        return self.events[self.at]

    def forward(self) -> None:
        """Look at the next one, if there is one by now."""
        if self.at + 1 == len(self.events):
            more = self.steps.after(self.event.position)
            dropped = max(self.at - _KEPT, 0) if more else 0
            self.events = self.events[dropped:] + more
            self.at -= dropped
        self.at = min(self.at + 1, len(self.events) - 1)

    def back(self) -> None:
        """Look at the one before, if there is one."""
        if self.at == 0:
            more = self.steps.before(self.event.position)
            self.events = more + (self.events[:_KEPT] if more else self.events)
            self.at = len(more)
        self.at = max(self.at - 1, 0)

    def first(self) -> None:
        """Look at the first one."""
        self.events, self.at = self.steps.after(0), 0

    def last(self) -> None:
        """Look at the last one."""
        self.events = self.steps.before(self.steps.end())
        self.at = len(self.events) - 1


def _key(wait: Callable[[float], str]) -> str:
    """Return the next key; one that is written as several characters as a whole."""
    key = ""
    while not key:
        key = wait(60)
    if key == "\x1b":
        key += wait(0.05)
        if len(key) > 1:
            key += wait(0.05)
    return key


def _screen(window: _Window, height: int) -> Group:
    from rich.console import Group  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    event = window.event
    state = _state(window.steps, event, height - _HEAD - 3)
    rows = max((height - _HEAD - (state.row_count if state else 0)) // 2, 1)
    around = window.events[max(window.at - rows, 0) : window.at + rows + 1]
    lines = [
        Text.assemble(("> " if one is event else "  ", "bold"), line(one, short=True), no_wrap=True)
        for one in around
    ]
    return Group(
        Text.assemble(("outbox replay --step", "bold"), "  ", (_KEYS, "dim")),
        Text(""),
        *lines,
        Text(""),
        Text(f"position {event.position}, version {event.version} of {event.stream}", style="bold"),
        state or Text("The log has not the whole stream any more: there is no state to show."),
    )


def _state(steps: Steps, event: Event, room: int) -> Table | None:
    """Return the row as the event left it, beside what it was before; what has changed is bold.

    Where there is no room for all, it is what has changed alone.
    """
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    after = steps.state(event)
    if after is None:
        return None
    before = steps.state_before(event) or {}
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("STATE", no_wrap=True, min_width=max(map(len, after)))
    table.add_column("BEFORE", style="dim", ratio=1, no_wrap=True)
    table.add_column("AFTER", ratio=1, no_wrap=True)
    shown = [name for name in after if not after[name] is before.get(name) is None]
    if len(shown) > room:
        shown = [name for name in shown if after[name] != before.get(name)]
    for name in shown:
        old, new = before.get(name), after[name]
        style = "" if old == new else "bold yellow"
        table.add_row(Text(name, style), Text(_shown(old)), Text(_shown(new), style))
    return table


def _shown(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else narrative.shortened(str(value), 60)
