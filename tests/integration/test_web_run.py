"""`outbox web` as a process: from an enqueue by HTTP to a message on the phone, until SIGTERM."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import psycopg
import pytest

from outbox.log import tokens
from outbox.session.phone import Phone
from tests.cli_runner import enqueue, run

PATIENCE = 20.0


class Running:
    """A command in a process of its own, its stderr in a file."""

    def __init__(self, log: Path, arguments: list[str], environment: dict[str, str]) -> None:
        self.log = log
        with log.open("w", encoding="utf-8") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "outbox", *arguments],
                env={**os.environ, **environment},
                stderr=stream,
            )

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return where the log says this, as soon as it does."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            found = re.search(pattern, self.log.read_text("utf-8"))
            if found:
                return found
            time.sleep(0.02)
        raise TimeoutError(self.log.read_text("utf-8"))


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Any]:
    """Start commands on the test's database, which are killed at its end."""
    started: list[Running] = []

    def begin(*arguments: str, **environment: str) -> Running:
        environment = {"DATABASE_URL": database_url, "OUTBOX_LOG_FORMAT": "logfmt"} | environment
        running = Running(tmp_path / f"{len(started)}.log", list(arguments), environment)
        started.append(running)
        return running

    yield begin
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
        running.process.wait()


def test_from_http_to_the_phone_until_sigterm(
    start: Any,  # noqa: ANN401
    connection: psycopg.Connection,
    tmp_path: Path,
) -> None:
    """A worker delivers what HTTP enqueued; SIGTERM lets who waits have an answer, and ends it."""
    secret = tokens.create(connection, "shop", ["enqueue", "read"]).secret
    web = start("web", "--port", "0")
    port = web.wait_for(r"event=started host=127\.0\.0\.1 port=(\d+)")[1]
    client = httpx2.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {secret}"},
        timeout=PATIENCE,
    )
    with client, Phone.start(tmp_path) as phone:
        worker = start("worker", OUTBOX_SESSION=phone.url)
        given = {"recipient": "+447700900123", "text": "hello"}
        answer = client.post("/v1/notifications", json=given, params={"wait": 20})
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] in {"sent", "delivered", "read"}
        shown = client.get(answer.headers["location"]).json()
        assert shown["events"][0]["metadata"] == {"token": "shop"}
        assert [one.message_id for one in phone.frames()] == [answer.json()["message_id"]]
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(PATIENCE) == 0

        waited: list[httpx2.Response] = []

        def wait() -> None:
            waited.append(client.post("/v1/notifications", json=given, params={"wait": 25}))

        waiter = Thread(target=wait)
        waiter.start()
        until = time.monotonic() + PATIENCE
        while not connection.execute(
            "select 1 from outbox.notification where state = 'pending'"
        ).fetchone():
            assert time.monotonic() < until, web.log.read_text("utf-8")
            time.sleep(0.02)
        begun = time.monotonic()
        web.process.send_signal(signal.SIGTERM)
        assert web.process.wait(PATIENCE) == 0
        assert time.monotonic() - begun < 10
        waiter.join(PATIENCE)
    assert [(one.status_code, one.json()["state"]) for one in waited] == [(202, "pending")]
    said = web.log.read_text("utf-8")
    assert "event=stopped" in said
    assert "Traceback" not in said
    assert "447700900123" not in said
    assert secret not in said


def test_what_a_worker_does_is_counted_by_the_web_process(
    start: Any,  # noqa: ANN401
    connection: psycopg.Connection,
    tmp_path: Path,
) -> None:
    """From the log that both share, from when on the web process follows it."""
    secret = tokens.create(connection, "prometheus", ["read"]).secret
    web = start("web", "--port", "0")
    port = web.wait_for(r"event=started host=127\.0\.0\.1 port=(\d+)")[1]
    url = f"http://127.0.0.1:{port}/metrics"
    with Phone.start(tmp_path) as phone:
        start("worker", OUTBOX_SESSION=phone.url)
        until = time.monotonic() + PATIENCE
        said = ""
        counted = r'^outbox_attempts_total\{account="main",outcome="sent"\} [1-9]'
        while not re.search(counted, said, re.MULTILINE):
            assert time.monotonic() < until, said
            enqueue(connection)
            answer = httpx2.get(url, headers={"Authorization": f"Bearer {secret}"})
            assert answer.status_code == 200
            said = answer.text
    assert 'outbox_connection_state{account="main",state="connected"} 1.0' in said
    assert 'outbox_owned{account="main"} 1.0' in said
    assert "447700900123" not in said


def test_sigterm_ends_a_pairing(
    start: Any,  # noqa: ANN401
    connection: psycopg.Connection,
    tmp_path: Path,
) -> None:
    """The account is given back at once, not when its lease lapses, and the exit code is 0."""
    secret = tokens.create(connection, "ann", ["admin"]).secret
    with Phone.start(tmp_path, unpaired=True) as phone:
        web = start("web", "--port", "0", OUTBOX_SESSION=phone.url)
        port = web.wait_for(r"event=started host=127\.0\.0\.1 port=(\d+)")[1]
        begun = httpx2.post(
            f"http://127.0.0.1:{port}/v1/accounts/main/pairing",
            headers={"Authorization": f"Bearer {secret}"},
            timeout=PATIENCE,
        )
        assert begun.status_code == 202
        assert connection.execute("select pairing from outbox.lease").fetchone() == (True,)
        web.process.send_signal(signal.SIGTERM)
        assert web.process.wait(PATIENCE) == 0
    assert connection.execute("select owner from outbox.lease").fetchone() == (None,)
    assert "standing=stopped" in web.log.read_text("utf-8")


def test_heroku_says_which_port(start: Any) -> None:  # noqa: ANN401
    """PORT is where to listen, for everybody; Ctrl-C ends it as well."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    web = start("web", PORT=str(port))
    web.wait_for(rf"event=started host=0\.0\.0\.0 port={port}")
    assert httpx2.get(f"http://127.0.0.1:{port}/readyz").json()["status"] == "ready"
    web.process.send_signal(signal.SIGINT)
    assert web.process.wait(PATIENCE) == 0


def test_a_port_that_is_taken_is_one_sentence(database_url: str) -> None:
    """It ends with 2, with the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run("web", "--port", port, "--host", "127.0.0.1", url=database_url)
    assert ran.code == 2
    assert ran.err.startswith(f"error: Nothing can listen on 127.0.0.1, port {port}: ")


def test_no_schema_no_service(server_url: str) -> None:
    """A process that could only answer 503 does not start."""
    ran = run("web", "--port", "0", url=server_url)
    assert (ran.code, "outbox migrate" in ran.err) == (6, True)


def test_the_procfile_starts_it() -> None:
    """As Heroku finds it, beside the worker."""
    procfile = (Path(__file__).resolve().parents[2] / "Procfile").read_text("utf-8")
    assert "web: python -m outbox web\n" in procfile
