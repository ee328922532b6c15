"""Neonize's own process is watched: it is stopped, killed, left waiting, and orphaned."""

import gc
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.whatsapp.account import Account
from tests.whatsapp.conftest import SCHEMA, Listen
from tests.whatsapp.device import store_url
from tests.whatsapp.listener import PATIENCE, wait_gone
from tests.whatsapp.server import WhatsApp

_ROOT = Path(__file__).parents[2]


def test_stopped(listen: Listen, account: Account) -> None:
    """A process that hangs is given up and killed, and what it had begun is unknown."""
    listener = listen("silent_within=6")
    process = listener.connect()
    account.silence()
    attempt, waiting = listener.send(), listener.send()
    account.wait_received(1)
    process.suspend()
    assert listener.end().type == "disconnected"
    assert listener.end().reason == "the session process hung: no word for 6 s"
    assert listener.outcome(attempt).type == "unknown"
    assert listener.outcome(waiting).type == "not_sent"
    assert not process.is_running()


def test_segmentation_fault(listen: Listen) -> None:
    """The reason names the signal of which it has died."""
    listener = listen()
    process = listener.connect()
    process.send_signal(signal.SIGSEGV)
    assert listener.end().type == "disconnected"
    assert "SIGSEGV" in listener.end().reason
    assert not process.is_running()


def test_killed(listen: Listen, account: Account) -> None:
    """Also if nobody could say a word; the next connection is another process."""
    listener = listen()
    process = listener.connect()
    process.kill()
    assert listener.end().reason == "the session process died by SIGKILL"
    assert listener.connect().pid != process.pid
    assert listener.outcome(listener.send()).type == "sent"
    assert account.logins() == 2


def test_no_login(listen: Listen, account: Account) -> None:
    """A dial into nothing is given up in time."""
    account.black_hole()
    listener = listen("connect_within=3")
    listener.session.connect()
    process = listener.process()
    assert listener.end().type == "disconnected"
    assert listener.end().reason == "no login within 3 s"
    assert not process.is_running()


def test_no_acknowledgement(listen: Listen, account: Account) -> None:
    """A server that stalls with a message out leaves it unknown, and is hung up on."""
    listener = listen("acknowledge_within=2")
    process = listener.connect()
    account.silence()
    attempt = listener.send()
    account.wait_received(1)
    account.stall()
    assert listener.outcome(attempt).type == "unknown"
    assert listener.end().type == "disconnected"
    assert listener.end().reason == "WhatsApp did not acknowledge a message in time"
    assert not process.is_running()
    account.lift()
    listener.connect()
    assert listener.outcome(listener.send()).type == "sent"


def test_grown(listen: Listen) -> None:
    """A process beyond its memory is replaced; this one is from the beginning."""
    listener = listen("memory=1")
    process = listener.connect()
    assert re.fullmatch(r"the session process had grown to \d+ MiB", listener.end().reason)
    assert listener.end().type == "disconnected"
    assert not process.is_running()


def test_close_while_stopped(listen: Listen, account: Account) -> None:
    """Closing takes less than ten seconds while the process is stopped amid a message."""
    listener = listen("")
    process = listener.connect()
    account.silence()
    attempt = listener.send()
    account.wait_received(1)
    process.suspend()
    assert listener.close() < 10
    assert listener.outcome(attempt).type == "unknown"
    assert listener.end().type == "disconnected"
    assert not process.is_running()


def test_close_while_dialling(listen: Listen, account: Account) -> None:
    """And while it dials into nothing, which it would for a minute."""
    account.black_hole()
    listener = listen("")
    listener.session.connect()
    process = listener.process()
    account.wait_swallowed()
    assert listener.close() < 10
    assert not process.is_running()


def test_terminated(listen: Listen) -> None:
    """A process group that is told to end leaves it to the session when its process does."""
    listener = listen()
    process = listener.connect()
    for told in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        process.send_signal(told)
    assert listener.outcome(listener.send()).type == "sent"
    assert process.is_running()
    assert [one.type for one in listener.transitions()] == ["connected"]


_PARENT = """
import sys, threading
from tests.whatsapp.listener import Listener, Logins
listener = Listener(Logins(sys.argv[1], sys.argv[2]))
if sys.argv[3] == "connected":
    process = listener.connect()
else:
    listener.session.connect()
    process = listener.process()
print("process", process.pid, flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize("when", ["start", "connected", "dialling"])
def test_orphaned(
    whatsapp: WhatsApp, store_database: str, paired: str, account: Account, when: str
) -> None:
    """A process whose parent was killed exits by itself, whatever it does."""
    if when == "dialling":
        account.black_hole()
    arguments = [paired, store_url(store_database, SCHEMA), when]
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, *arguments],
        cwd=_ROOT,
        env=os.environ | whatsapp.environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout
        said = next(line for line in parent.stdout if line.startswith("process "))
        process = psutil.Process(int(said.split()[1]))
        if when == "dialling":
            account.wait_swallowed()
        parent.kill()
    wait_gone(process)


def test_nothing_is_left(listen: Listen, account: Account) -> None:
    """After several connections no file is open and no thread runs that was not before."""
    listener = listen()

    def left() -> tuple[int, list[str]]:
        gc.collect()
        threads = sorted(t.name for t in threading.enumerate() if t.name.startswith("session"))
        # The tests' server has sockets of its own, of another family.
        return len(psutil.Process().net_connections("unix")), threads

    def settled() -> tuple[int, list[str]]:
        account.wait_gone()
        deadline = time.monotonic() + PATIENCE
        while left()[1] and time.monotonic() < deadline:
            time.sleep(0.02)
        return left()

    listener.connect()
    account.drop()
    listener.transition("disconnected")
    before = settled()
    for nth in range(2, 7):
        listener.connect()
        assert listener.outcome(listener.send()).type == "sent"
        account.drop()
        listener.transition("disconnected", nth)
    assert settled() == before
    assert before[1] == []
