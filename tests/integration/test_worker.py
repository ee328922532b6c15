"""The worker as a process: what it takes, how it stops, how two of them share an account."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg
import pytest

from outbox.delivery.about import describe_worker
from outbox.session.phone import Behaviour, Phone
from tests.account import Account
from tests.puppet import until

_LEASE_SECONDS = 1
Start = Callable[..., "subprocess.Popen[bytes]"]

_INTERRUPTED = """
import os, signal, sys
from outbox.delivery.worker import run_worker
from outbox.session.simulated import open_simulated
from outbox.settings import Settings

class Stream:
    def write(self, text):
        sys.__stdout__.write(text)
        if "started" in text or "stopping" in text:
            os.kill(os.getpid(), signal.SIGTERM)  # in the middle of a line of the log
    def flush(self):
        sys.__stdout__.flush()

sys.stdout = Stream()
settings = Settings()
run_worker(settings, open_simulated(settings.session))
"""


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    """A phone."""
    behaviour = Behaviour(latency=0.02, delivered=0.03)
    with Phone.start(tmp_path, behaviour=behaviour) as phone:
        yield phone


@pytest.fixture
def start(database_url: str, phone: Phone, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker."""
    with ExitStack() as after:

        def start(script: str | None = None, **environment: str) -> "subprocess.Popen[bytes]":
            command = ["-c", script] if script else ["-m", "outbox", "worker"]
            log = after.enter_context((tmp_path / "worker.log").open("ab"))
            worker = subprocess.Popen(
                [sys.executable, *command],
                env={
                    **os.environ,
                    "DATABASE_URL": database_url,
                    "OUTBOX_SESSION": phone.url,
                    "OUTBOX_LEASE_SECONDS": str(_LEASE_SECONDS),
                    "OUTBOX_LOG_FORMAT": "logfmt",
                    **environment,
                },
                stdout=log,
                stderr=log,
            )
            after.callback(worker.wait)
            after.callback(worker.kill)
            return worker

        yield start


@pytest.fixture
def account(connection: psycopg.Connection) -> Account:
    """The account that the workers serve."""
    connection.execute("update outbox.policy set grace = '200 ms'")
    return Account(connection)


def _sent(account: Account, count: int) -> bool:
    row = account.connection.execute(
        "select count(*) from outbox.notification where sent_at is not null"
    ).fetchone()
    return bool(row) and row[0] >= count  # type: ignore[index]  # it is a row


def _owner(account: Account) -> int | None:
    """Return the process that owns the account."""
    row = account.connection.execute(
        "select (e.metadata->>'process')::integer from outbox.event e"
        " join outbox.lease l on e.stream = outbox.connection_stream(l.account)"
        " where l.owner is not null and e.type = 'lease_acquired' order by e.version desc limit 1"
    ).fetchone()
    return row[0] if row else None


def test_worker_takes_few_connections_and_little_memory(account: Account, start: Start) -> None:
    """With one account four connections at most and under 120 MB, while it works."""
    worker = start()
    connections = memory = 0
    for number in range(3000):
        if number % 100 == 0:
            for recipient in range(100):
                account.enqueue(recipient)
            row = account.connection.execute(
                "select count(*) from pg_stat_activity"
                " where datname = current_database() and application_name like 'outbox %'"
            ).fetchone()
            assert row
            connections = max(connections, row[0])
            memory = max(memory, psutil.Process(worker.pid).memory_info().rss)
    until(lambda: _sent(account, 3000), "all are sent", 60)
    memory = max(memory, psutil.Process(worker.pid).memory_info().rss)
    print(f"{connections} connections, {memory / 1e6:.0f} MB")  # noqa: T201 - `pytest -s` tells
    assert 0 < connections <= 4
    assert memory < 120e6


def test_stop_waits_for_what_is_being_sent(account: Account, start: Start) -> None:
    """SIGTERM twice, as Heroku may send it: nothing more is started, nothing is left unknown."""
    worker = start()
    for number in range(400):
        account.enqueue(number)
    until(lambda: _sent(account, 20), "it is in the middle")
    worker.send_signal(signal.SIGTERM)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    states: dict[str, int] = dict(
        account.connection.execute(
            "select state, count(*) from outbox.notification group by 1"
        ).fetchall()
    )
    assert set(states) <= {"sent", "delivered", "pending"}
    assert states["pending"] > 0
    assert account.connection_story()[-2:] == ["draining", "lease_released"]


def test_any_number_of_signals_stops_it_once(account: Account, start: Start) -> None:
    """Also when they come while it is stopping already."""
    worker = start()
    until(lambda: _owner(account) == worker.pid, "it owns the account")
    deadline = time.monotonic() + 10
    while worker.poll() is None and time.monotonic() < deadline:
        worker.send_signal(signal.SIGTERM)
        time.sleep(0.001)
    # The last one may come when the interpreter is gone already.
    assert worker.wait(1) in {0, -signal.SIGTERM}
    assert account.connection_story()[-2:] == ["draining", "lease_released"]


def test_signal_in_the_middle_of_a_line_of_the_log_stops_it(
    account: Account, start: Start, tmp_path: Path
) -> None:
    """What is interrupted may hold the log's lock, so the signal must not want it."""
    worker = start(_INTERRUPTED)
    try:
        assert worker.wait(10) == 0
    finally:
        log = (tmp_path / "worker.log").read_text()
    assert "stopped" in log


def test_second_worker_waits_and_takes_over(account: Account, start: Start) -> None:
    """Of two workers one owns the account; stopped, it hands over at once, nothing doubled."""
    first = start()
    until(lambda: _owner(account) == first.pid, "the first owns it")
    second = start()
    for number in range(100):
        account.enqueue(number % 9)
    until(lambda: _sent(account, 20), "it is in the middle")
    assert _owner(account) == first.pid
    first.terminate()
    assert first.wait(10) == 0
    until(lambda: _owner(account) == second.pid, "the second owns it", 5)
    until(lambda: _sent(account, 100), "all are sent")
    row = account.connection.execute("select max(attempts) from outbox.notification").fetchone()
    assert row == (1,)


def test_worker_that_hangs_for_longer_than_its_lease_is_fenced(
    account: Account, start: Start, phone: Phone
) -> None:
    """Stopped by SIGSTOP it loses the account; continued it finds that out, and waits its turn."""
    first = start()
    until(lambda: _owner(account) == first.pid, "the first owns it")
    for number in range(60):
        account.enqueue(number % 9)
    until(lambda: _sent(account, 5), "it is in the middle")
    first.send_signal(signal.SIGSTOP)
    second = start()
    try:
        until(lambda: _owner(account) == second.pid, "the second owns it")
    finally:
        first.send_signal(signal.SIGCONT)
    # The first may have taken receipts with it that would have settled what it was sending.
    until(lambda: _sent(account, 60), "all are sent")
    second.terminate()
    assert second.wait(10) == 0
    until(lambda: _owner(account) == first.pid, "the first owns it again")
    first.terminate()
    assert first.wait(10) == 0
    arrived = [frame.notification for frame in phone.frames()]
    assert len(set(arrived)) == 60
    doubled = {id_ for id_ in arrived if arrived.count(id_) > 1}
    assert all("attempt_unknown" in account.story(id_) for id_ in doubled)


@pytest.mark.parametrize("ffmpeg", ["/usr/bin/ffmpeg", None])
def test_worker_says_whether_it_can_convert_sound(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, ffmpeg: str | None
) -> None:
    """The log knows it of the account's owner, so that what it could not send is refused."""
    monkeypatch.setattr("shutil.which", {"ffmpeg": ffmpeg}.get)
    assert Account(connection).acquire(**describe_worker())
    row = connection.execute("select lacks_ffmpeg from outbox.connection").fetchone()
    assert row == (ffmpeg is None,)
