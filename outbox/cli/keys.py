"""Keys, as they are pressed, while a command draws on the terminal."""

from __future__ import annotations

import os
import select
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def pressed() -> Iterator[Callable[[float], str]]:
    """Hand out what waits so many seconds for a key and returns it, or nothing.

    Keys come without Enter meanwhile, and are not shown; Ctrl-C stays Ctrl-C. Where stdin is no
    terminal there are none.
    """
    if not sys.stdin.isatty():
        yield _sleep
        return
    import termios  # noqa: PLC0415 - there is none without a terminal
    import tty  # noqa: PLC0415

    stdin = sys.stdin.fileno()
    before = termios.tcgetattr(stdin)

    def wait(seconds: float) -> str:
        ready, _, _ = select.select([stdin], [], [], seconds)
        return os.read(stdin, 1).decode(errors="replace") if ready else ""

    try:
        tty.setcbreak(stdin)
        yield wait
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)


def _sleep(seconds: float) -> str:
    time.sleep(seconds)
    return ""
