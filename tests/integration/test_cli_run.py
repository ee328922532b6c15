"""`outbox worker`, `tail`, `phone` and `postgres`: what runs for long, as processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import psycopg
import pytest

from outbox.session.phone import Phone
from tests.cli_runner import enqueue, run

PATIENCE = 20.0


class Running:
    """A command in a process of its own, its stdout read line by line."""

    def __init__(self, arguments: Sequence[object], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "outbox", *map(str, arguments)],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = ""
        self._lines: Queue[str] = Queue()
        self._readers = [
            Thread(target=self._read, args=(self.process.stdout, self._lines.put), daemon=True),
            Thread(target=self._read, args=(self.process.stderr, self._keep), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: object, take: Callable[[str], None]) -> None:
        for line in stream:  # type: ignore[attr-defined]  # a text file
            take(line)

    def _keep(self, line: str) -> None:
        self.said += line

    def line(self) -> str:
        """Return the next line of stdout."""
        try:
            return self._lines.get(timeout=PATIENCE)
        except Empty:
            raise TimeoutError(self.said) from None

    def wait_for(self, text: str) -> None:
        """Return when stderr has said this."""
        until = time.monotonic() + PATIENCE
        while text not in self.said:
            if time.monotonic() > until or self.process.poll() is not None:
                raise TimeoutError(self.said)
            time.sleep(0.02)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send it a signal and return its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code


Start = Callable[..., Running]


@pytest.fixture
def start(database_url: str) -> Iterator[Start]:
    """Start commands on the test's database, which are killed at its end."""
    started: list[Running] = []

    def begin(*arguments: object, **environment: str) -> Running:
        running = Running(arguments, {"DATABASE_URL": database_url, **environment})
        started.append(running)
        return running

    yield begin
    for running in started:
        if running.process.poll() is None:
            running.end(signal.SIGKILL)


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    """A phone to deliver to."""
    with Phone.start(tmp_path) as phone:
        yield phone


# worker


def test_a_worker_delivers_until_it_is_told_to_stop(
    database_url: str, start: Start, phone: Phone, connection: psycopg.Connection
) -> None:
    """SIGTERM drains, gives the account back and is no failure; elsewhere the log is logfmt."""
    worker = start("worker", OUTBOX_SESSION=phone.url)
    ran = run("enqueue", "+447700900123", "--text", "hi", "--wait", "20s", url=database_url)
    assert ran.code == 0
    assert worker.end(signal.SIGTERM) == 0
    assert "level=info event=started accounts=['main']" in worker.said
    assert "event=stopped" in worker.said
    assert "447700900123" not in worker.said
    row = connection.execute("select owner from outbox.lease").fetchone()
    assert row == (None,)


def test_a_worker_serves_the_accounts_that_are_named(start: Start, phone: Phone) -> None:
    """The command line goes before OUTBOX_ACCOUNTS; with --json its log is JSON on stdout."""
    worker = start(
        *("worker", "--account", "one", "--account", "two", "--session", phone.url, "--json"),
        OUTBOX_ACCOUNTS="others",
    )
    first = json.loads(worker.line())
    assert first["event"] == "started"
    assert first["accounts"] == ["one", "two"]
    assert worker.end(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("OUTBOX_SESSION", "telegram:", "There is no session for telegram:"),
        ("OUTBOX_SESSION", "whatsapp://x", "OUTBOX_SESSION: 'whatsapp://x' is not whatsapp:"),
        ("OUTBOX_SESSION", "whatsapp:?capacity=0", "OUTBOX_SESSION: 'whatsapp:?capacity=0': cap"),
        ("OUTBOX_SESSION", "simulated://", "OUTBOX_SESSION: 'simulated://' is neither"),
        ("OUTBOX_LEASE_SECONDS", "-1", "OUTBOX_LEASE_SECONDS cannot be '-1': Input should be"),
        ("OUTBOX_SECRET", "swordfish", "OUTBOX_SECRET cannot be what it is: it can be guessed"),
        ("OUTBOX_SECRET", "ab" * 32, "OUTBOX_SECRET cannot be what it is: it can be guessed"),
        ("OUTBOX_LOG_FORMAT", "xml", "OUTBOX_LOG_FORMAT cannot be 'xml': Input should be 'auto'"),
    ],
)
def test_a_worker_whose_settings_cannot_be_ends_with_2(
    database_url: str, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
) -> None:
    """The variable is named."""
    monkeypatch.setenv(variable, value)
    ran = run("worker", url=database_url)
    assert ran.code == 2
    assert ran.err.startswith(f"error: {sentence}")


# tail


def test_the_log_is_followed_live(start: Start, connection: psycopg.Connection) -> None:
    """Every event once, as one JSON document a line, from now on; Ctrl-C is its end."""
    enqueue(connection)
    tail = start("tail", "--json")
    early: list[str] = []
    while tail._lines.empty():  # it says nothing when it is ready
        early.append(str(enqueue(connection)))
        time.sleep(0.2)
    last = enqueue(connection)
    seen: list[str] = []
    while str(last) not in seen:
        event = json.loads(tail.line())
        assert event["type"] == "enqueued"
        seen.append(event["stream"])
    assert seen == [*early[len(early) + 1 - len(seen) :], str(last)]
    assert tail.end() == 0
    assert tail.said == ""


def test_the_log_is_followed_from_a_moment(start: Start, connection: psycopg.Connection) -> None:
    """What is older is left out, what others have appended meanwhile is not."""
    enqueue(connection)
    connection.execute("select pg_sleep(0.05)")
    row = connection.execute("select now()").fetchone()
    assert row is not None
    two = enqueue(connection)
    other = enqueue(connection, account="other")
    tail = start("tail", "--json", "--since", row[0].isoformat(), "--account", "main")
    assert json.loads(tail.line())["stream"] == str(two)
    connection.execute("select outbox.cancel(%s)", (other,))
    connection.execute("select outbox.cancel(%s)", (two,))
    assert json.loads(tail.line())["type"] == "cancelled"
    tail.end()


def test_only_events_of_a_type_are_shown(start: Start, connection: psycopg.Connection) -> None:
    """In plain words unless JSON was asked for, and with the whole id."""
    one = enqueue(connection)
    connection.execute("select outbox.cancel(%s, 'sent by post')", (one,))
    tail = start("tail", "--since", "1h", "--type", "cancelled")
    assert tail.line().endswith(f"  main  cancelled        {one}  withdrawn: sent by post\n")
    tail.end()


def test_a_lost_database_is_found_again(start: Start, connection: psycopg.Connection) -> None:
    """What was appended while it was away comes, and nothing comes twice."""
    first = enqueue(connection)
    tail = start("tail", "--json", "--since", "1h")
    assert json.loads(tail.line())["stream"] == str(first)
    connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and application_name = 'outbox cli'"
    )
    second = enqueue(connection)
    assert json.loads(tail.line())["stream"] == str(second)
    third = enqueue(connection)
    assert json.loads(tail.line())["stream"] == str(third)
    tail.end()
    assert "; trying again in 1 s" in tail.said
    assert "the database is back" in tail.said


# what is piped into something that ends


def test_a_reader_that_is_gone_is_no_mistake(
    database_url: str, connection: psycopg.Connection
) -> None:
    """`outbox list | head -1` says nothing on stderr; its code is that of SIGPIPE."""
    connection.execute("""
        select outbox.enqueue_batch(jsonb_agg(jsonb_build_object(
          'recipient', '+44770090' || lpad(n::text, 4, '0'),
          'content', '{"kind": "text", "text": "hello"}'::jsonb)))
        from generate_series(1, 2000) n
    """)
    command = f"{sys.executable} -m outbox list --limit 2000; echo $? >&2"
    ran = subprocess.run(
        ["/bin/sh", "-c", f"({command}) | head -1"],
        env=os.environ | {"DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (ran.stdout.count("\n"), ran.stderr) == (1, "141\n")


# phone


def test_a_phone_shows_what_it_receives(start: Start, connection: psycopg.Connection) -> None:
    """Its first line says where sessions find it, each other one is a message."""
    phone = start("phone", "--listen", "127.0.0.1:0", "--latency", "0", "--json")
    url = json.loads(phone.line())["url"]
    worker = start("worker", OUTBOX_SESSION=url)
    one = enqueue(connection)
    received = json.loads(phone.line())
    assert received["notification"] == str(one)
    assert received["body"] == {"kind": "text", "text": "hello"}
    assert worker.end(signal.SIGTERM) == 0
    assert phone.end() == 0


def test_a_phone_may_have_to_be_paired(
    database_url: str, start: Start, connection: psycopg.Connection
) -> None:
    """A worker waits until its code was scanned, then sends; unlinked, it is logged out again."""
    phone = start("phone", "--listen", "127.0.0.1:0", "--unpaired", "--json")
    url = json.loads(phone.line())["url"]
    address = url.removeprefix("simulated://")
    worker = start("worker", OUTBOX_SESSION=url)
    one = enqueue(connection)
    worker.wait_for("event=logged_out")
    pair = start("pair", "main", "--json", OUTBOX_SESSION=url)
    code = json.loads(pair.line())["qr"]
    assert run("phone", "--listen", address, "--scan", "simulated:no").code == 10
    assert run("phone", "--listen", address, "--scan", code).out == "done\n"
    assert json.loads(pair.line())["paired"].startswith("447700900000:")
    pair.process.wait(PATIENCE)
    assert pair.end() == 0
    assert json.loads(phone.line())["notification"] == str(one)
    worker.wait_for("event=connected")
    assert run("phone", "--listen", address, "--unlink", "main", "--json").json == {
        "scanned": None,
        "unlinked": "main",
        "written": None,
    }
    worker.wait_for("the device is not linked")
    assert run("phone", "--listen", "127.0.0.1:1", "--scan", code).code == 10


def test_a_recipient_opts_out_and_in(
    database_url: str, start: Start, phone: Phone, connection: psycopg.Connection
) -> None:
    """After STOP an enqueue is refused for that reason; other texts do nothing, START undoes it."""
    worker = start("worker", OUTBOX_SESSION=phone.url)
    address, ann = phone.url.removeprefix("simulated://"), "+447700900123"
    enqueue(connection)
    worker.wait_for("event=connected")
    write = ("phone", "--listen", address, "--write", "main", ann)
    assert run(*write, "stop by at six").out == "done\n"
    assert run(*write, "Stop.", "--json").json["written"] == "447700900123@s.whatsapp.net"
    worker.wait_for("a recipient opted out")
    refused = run("enqueue", ann, "--text", "hello", url=database_url)
    assert refused.code == 3
    assert "Recipient is suppressed: the recipient wrote STOP" in refused.err
    run(*write, "start")
    worker.wait_for("a recipient opted in")
    assert run("enqueue", ann, "--text", "hello", url=database_url).code == 0
    assert run("phone", "--write", "main", "ann", "STOP").code == 2


def test_a_phone_of_the_workers_own_needs_no_pairing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks for it is told so, and how to have one that does."""
    monkeypatch.setenv("OUTBOX_SESSION", "simulated:")
    ran = run("pair", url=database_url)
    assert ran.code == 2
    assert "outbox phone --unpaired" in ran.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--listen", "here"], "--listen: 'here' is neither HOST:PORT nor unix:/path"),
        (["--fault", '{"do": "explode"}'], """--fault {"do": "explode"}: there is no fault"""),
        (["--fault", "{"], "--fault {: "),
    ],
)
def test_a_phone_that_cannot_be_ends_with_2(arguments: list[str], sentence: str) -> None:
    """It does not start in part."""
    ran = run("phone", *arguments)
    assert ran.code == 2
    assert ran.err.startswith(f"error: {sentence}")


# postgres


def test_the_embedded_server_is_started_and_stopped(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its URL is all of stdout, so that DATABASE_URL can take it; stopping twice is harmless."""
    from outbox import embedded  # noqa: PLC0415
    from tests.databases import unused_home  # noqa: PLC0415

    with unused_home() as home:
        server = embedded.server(home)
        monkeypatch.setattr(embedded, "server", lambda: server)
        try:
            ran = run("postgres", "url")
            assert (ran.code, ran.out) == (0, f"{server.url()}\n")
            assert "It is not running; start it: outbox postgres start" in ran.err
            assert run("postgres", "psql", "-c", "select 1").code in {2, 6}
            assert run("postgres", "start").out == f"{server.url()}\n"
            assert run("postgres", "start", "--json").json["running"]
            with psycopg.connect(server.url()) as connection:
                connection.execute("select 1")
            assert run("postgres", "stop").out == "Stopped.\n"
            ran = run("postgres", "stop", "--json")
            assert ran.json == {"running": False, "was_running": False}
        finally:
            server.remove()
