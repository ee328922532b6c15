"""A command on a terminal, which is a pseudo one."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable

PATIENCE = 20.0
ROWS, COLUMNS = 40, 160


class Terminal:
    """A command on a terminal of its own.

    Attributes:
        shown: All that it has written, the sequences that move the cursor among it.
    """

    def __init__(self, *arguments: str, url: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self.process = subprocess.Popen(
            [sys.executable, "-m", "outbox", *arguments],
            env={**os.environ, "DATABASE_URL": url, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.set_blocking(self._ours, False)
        self.shown = ""

    def close(self) -> None:
        """Kill the command, and give the terminal back."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self._ours, key.encode())

    def wait_for(self, *texts: str) -> None:
        """Return once it has shown all of these from now on."""
        self.shown = ""
        self._wait(lambda: all(text in self.shown for text in texts))

    def ended(self) -> int:
        """Return its exit code, once it has ended."""
        self._wait(lambda: self.process.poll() is not None)
        assert self.process.returncode is not None
        return self.process.returncode

    @property
    def after(self) -> object:
        """How the terminal is set."""
        return termios.tcgetattr(self._theirs)

    def _wait(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > until:
                raise TimeoutError(self.shown)
            try:
                self.shown += os.read(self._ours, 65536).decode(errors="replace")
            except BlockingIOError:
                time.sleep(0.02)
