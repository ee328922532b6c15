"""Which processes run for sessions, asked while some of them end."""

from collections.abc import Sequence
from contextlib import suppress

import psutil

from outbox.session.whatsapp.session import PROGRAM


def session_processes(
    parent: int | None = None, program: Sequence[str] = PROGRAM
) -> list[psutil.Process]:
    """Return the processes of sessions that live.

    Args:
        parent: The number of the process that has started them; None for this one.
        program: What they run.
    """
    found = []
    with suppress(psutil.NoSuchProcess):  # the parent has ended, and nothing is its child
        for child in psutil.Process(parent).children():
            with suppress(psutil.NoSuchProcess):  # this one has, be it a zombie still or not
                if program[0] in child.cmdline():
                    found.append(child)
    return found
