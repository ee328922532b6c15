"""Ending with whoever started this process, by whatever death: `outbox run` leaves no orphans."""

import os
import signal
import sys
from threading import Thread
from typing import Annotated

import typer

UntilStdinCloses = Annotated[
    bool, typer.Option("--until-stdin-closes", hidden=True, help="End with whoever started it.")
]
"""The option of a command that `outbox run` starts; stdin is a pipe that nobody writes to."""


def end_with_starter() -> None:
    """Begin to watch stdin; when it closes, this process is told to stop as by SIGTERM."""
    Thread(target=_watch, name="starter", daemon=True).start()


def _watch() -> None:
    # Not sys.stdin.buffer: at the end the interpreter would wait for its lock.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
