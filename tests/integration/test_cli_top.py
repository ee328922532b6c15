"""`outbox top`: live on a terminal, which is a pseudo one here, and as JSON."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
import pytest

from tests.cli_runner import Session, enqueue, run

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

    def wait_for(self, text: str) -> None:
        """Return once it has shown this from now on."""
        self.shown = ""
        self._wait(lambda: text in self.shown)

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


@pytest.fixture
def terminal(database_url: str, connection: psycopg.Connection) -> Iterator[Terminal]:
    """`outbox top` of an outbox with an account that is connected."""
    session = Session(connection)
    session.transition("connected")
    with closing(Terminal("top", "--interval", "0.1", url=database_url)) as terminal:
        yield terminal


def test_it_is_live_until_q(terminal: Terminal, connection: psycopg.Connection) -> None:
    """What happens is shown as it does; at the end the terminal is as it was."""
    terminal.wait_for("connected for")
    for heading in ("ACCOUNT", "PENDING", "OLDEST", "SENT/MIN", "FAILED/MIN"):
        terminal.wait_for(heading)
    first = enqueue(connection)
    terminal.wait_for(str(first))
    connection.execute("select outbox.cancel(%s)", (first,))
    terminal.wait_for("withdrawn")
    terminal.press("q")
    assert terminal.ended() == 0
    assert terminal.after == terminal.before
    assert "Traceback" not in terminal.shown


def test_control_c_ends_it(terminal: Terminal) -> None:
    """As it does `tail`: with 0, and with the terminal as it was."""
    terminal.wait_for("connected for")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.ended() == 0
    assert terminal.after == terminal.before
    assert "Traceback" not in terminal.shown


def test_a_lost_database_is_waited_for(terminal: Terminal, connection: psycopg.Connection) -> None:
    """And no event is missed."""
    terminal.wait_for("connected for")
    connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where application_name = 'outbox cli' and datname = current_database()"
    )
    terminal.wait_for("trying again")
    terminal.wait_for(str(enqueue(connection)))
    terminal.press("q")
    assert terminal.ended() == 0


def test_errors_and_rates_are_told_as_json(
    database_url: str, connection: psycopg.Connection
) -> None:
    """An object a refresh: what happened in the last minute, then what has come since."""
    session = Session(connection)
    sent, failed = enqueue(connection), enqueue(connection, "+447700900124")
    session.end("sent", sent)
    session.end("failed", failed, error="error 503")
    process = subprocess.Popen(
        [sys.executable, "-m", "outbox", "top", "--json", "--interval", "0.1"],
        env={**os.environ, "DATABASE_URL": database_url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        try:
            first = json.loads(process.stdout.readline())
            (account,) = first["accounts"]
            assert (account["account"], account["owned"]) == ("main", True)
            assert (account["sent_a_minute"], account["failed_a_minute"]) == (1, 1)
            assert [one["data"]["error"] for one in first["errors"]] == ["error 503"]
            types = [one["type"] for one in first["events"]]
            assert types.count("enqueued") == 2
            later = str(enqueue(connection))
            seen: list[str] = []
            while later not in seen:
                following = json.loads(process.stdout.readline())
                seen += [one["stream"] for one in following["events"]]
            assert seen == [later]
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def test_where_no_terminal_is_it_says_what_to_do(database_url: str) -> None:
    """Rather than write what nobody can read."""
    ran = run("top", url=database_url)
    assert (ran.code, ran.out) == (2, "")
    assert "give --json, or look once with: outbox status" in ran.err
