"""`outbox run`: web, worker and sessions as one, for a dyno that runs one command."""

import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import SimpleQueue
from threading import Thread
from typing import Any

import psutil
import psycopg
import pytest

from outbox.group import alive, processes
from tests.cli_runner import run
from tests.deployment.conftest import Client, Start
from tests.running import PATIENCE, Running, until

HELLO = {"recipient": "+447700900123", "text": "hello"}


def _members(running: Running) -> dict[str, psutil.Process]:
    found = running.wait_for(r"event=started web=(\d+) worker=(\d+)")
    running.wait_for(r"event=started accounts=")
    running.wait_for(r"event=started host=")
    return {"web": psutil.Process(int(found[1])), "worker": psutil.Process(int(found[2]))}


def _is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_one_command_takes_and_delivers(start: Start, client: Client) -> None:
    """With a simulated phone of its own, and nothing else beside it but the database."""
    group = start("run", "--port", "0", OUTBOX_SESSION="simulated:")
    members = _members(group)
    assert {os.getpgid(one.pid) for one in members.values()} == {os.getpgid(group.process.pid)}
    answer = client(group).post("/v1/notifications", json=HELLO, params={"wait": 20})
    assert (answer.status_code, answer.json()["state"]) in {(200, "sent"), (200, "delivered")}
    descendants = psutil.Process(group.process.pid).children(recursive=True)
    group.process.send_signal(signal.SIGTERM)
    assert group.process.wait(PATIENCE) == 0, group.said
    until(lambda: all(map(_is_gone, descendants)), "nobody is left, the phone included")
    assert "Traceback" not in group.said
    assert "447700900123" not in group.said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_are_told_twice_and_stop_in_peace(
    start: Start, connection: psycopg.Connection, number: signal.Signals
) -> None:
    """As Heroku tells every process of a dyno, and a terminal every process of a group."""
    group = start("run", "--port", "0", OUTBOX_SESSION="simulated:")
    members = _members(group)
    for one in (*members.values(), psutil.Process(group.process.pid)):
        one.send_signal(number)
    assert group.process.wait(PATIENCE) == 0, group.said
    assert "Traceback" not in group.said
    assert connection.execute("select owner from outbox.lease").fetchall() == [(None,)]


@pytest.mark.parametrize("victim", ["web", "worker"])
def test_when_one_dies_all_end_with_a_failure(
    start: Start, connection: psycopg.Connection, victim: str
) -> None:
    """So that the platform starts all of it anew; the other one has stopped in peace."""
    group = start("run", "--port", "0", OUTBOX_SESSION="simulated:")
    members = _members(group)
    members[victim].kill()
    assert group.process.wait(PATIENCE) == 1, group.said
    assert f'event="ended by itself" process={victim} code=-9' in group.said
    assert all(map(_is_gone, members.values()))
    owners = connection.execute("select owner from outbox.lease").fetchall()
    assert (owners == [(None,)]) is (victim == "web")


def test_killed_it_leaves_no_orphan(start: Start, connection: psycopg.Connection) -> None:
    """A worker that went on alone would keep the account from the next one."""
    group = start("run", "--port", "0", OUTBOX_SESSION="simulated:")
    _members(group)
    descendants = psutil.Process(group.process.pid).children(recursive=True)
    group.process.kill()
    until(lambda: all(map(_is_gone, descendants)), "nobody is left")
    assert connection.execute("select owner from outbox.lease").fetchall() == [(None,)]


def test_a_member_that_cannot_start_says_why(server_url: str) -> None:
    """Its sentence and its exit code are the group's."""
    ran = subprocess.run(
        [sys.executable, "-m", "outbox", "run", "--port", "0"],
        env={**os.environ, "DATABASE_URL": server_url, "OUTBOX_SESSION": "simulated:"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (ran.returncode, "run: outbox migrate" in ran.stderr) == (6, True), ran.stderr


def test_a_member_that_does_not_stop_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The platform would kill all of them a little later, this process included."""
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('deaf', flush=True); time.sleep(600)"
    )
    member = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
    with member:
        assert member.stdout is not None
        member.stdout.readline()
        monkeypatch.setattr(processes, "GRACE_SECONDS", 0.1)
        assert processes._stop({"stubborn": member}) == 1
        assert member.returncode == -signal.SIGKILL


# KEEP_ALIVE_URL


def test_it_asks_for_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Again and again, also when an answer is an error or none comes."""
    asked: SimpleQueue[str] = SimpleQueue()

    class _Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.put(self.path)
            self.send_error(503)

        def log_message(self, *_: Any) -> None:  # noqa: ANN401
            pass

    monkeypatch.setattr(alive, "EVERY_SECONDS", 0.01)
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        alive.keep_alive(f"http://127.0.0.1:{server.server_port}/healthz")
        assert [asked.get(timeout=PATIENCE) for _ in range(3)] == ["/healthz"] * 3
        server.shutdown()


def test_a_keep_alive_url_that_is_none_is_one_sentence(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is started."""
    monkeypatch.setenv("KEEP_ALIVE_URL", "file:///etc/passwd")
    ran = run("run", url=database_url)
    assert ran.code == 2
    assert ran.err.startswith("error: KEEP_ALIVE_URL cannot be 'file:///etc/passwd': give")
