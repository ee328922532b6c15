"""Commands of the outbox in processes of their own, their logs in files."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 30.0


class Running:
    """A command in a process of its own, what it says in a file.

    Args:
        log: The file, which is written anew.
        arguments: Of the command.
        environment: Beside this process's own.
    """

    def __init__(self, log: Path, arguments: list[str], environment: dict[str, str]) -> None:
        self.log = log
        with log.open("w", encoding="utf-8") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "outbox", *arguments],
                env={**os.environ, "OUTBOX_LOG_FORMAT": "logfmt", **environment},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.log.read_text("utf-8")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return where the log says this, as soon as it does."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            found = re.search(pattern, self.said)
            if found:
                return found
            time.sleep(0.02)
        raise TimeoutError(self.said)

    def end(self) -> None:
        """Kill it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def until(happened: Callable[[], object], what: str) -> None:
    """Wait for something to happen."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)
