"""A worker with WhatsApp: what it needs, what it leaves behind, and what it survives.

Two environment variables lengthen the soak: OUTBOX_SOAK_MESSAGES and OUTBOX_SOAK_RECONNECTS.

    OUTBOX_SOAK_MESSAGES=10000 OUTBOX_SOAK_RECONNECTS=200 make test ARGS='-s -k soak'
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg
import pytest

from tests.databases import database
from tests.whatsapp.account import Account
from tests.whatsapp.device import create_store
from tests.whatsapp.server import WhatsApp
from tests.whatsapp.worker import pair_account, running_worker

MESSAGES = int(os.environ.get("OUTBOX_SOAK_MESSAGES", "200"))
RECONNECTS = int(os.environ.get("OUTBOX_SOAK_RECONNECTS", "3"))
MOST_MEMORY = 220 * 2**20
"""Of the worker and its session's process, in bytes."""
MOST_CONNECTIONS = 7
PATIENCE = 60.0
JID = "31600000001:5@s.whatsapp.net"

_numbers = count(1)


class Needs(NamedTuple):
    """What a worker has of the machine."""

    memory: int
    """Bytes resident, its own and its process's."""
    connections: int
    """With the database, its own and whatsmeow's."""


@pytest.fixture
def url(server_url: str, template: str) -> Iterator[str]:
    """A database of a paired account."""
    with database(server_url, f"worker{next(_numbers)}", template) as url:
        create_store(url, "whatsapp")
        pair_account(url, "main", JID)
        yield url


@pytest.fixture
def other_side(whatsapp: WhatsApp) -> Account:
    """WhatsApp's side of the account."""
    account = whatsapp.account(JID)
    account.deliver_within = 0.05
    return account


def enqueue(url: str, number: int, *, recipients: int = 20, start: int = 0) -> None:
    """Enqueue so many texts, each with its number, recipients taking turns."""
    items = [
        {
            "recipient": f"+4477009{nth % recipients:05d}",
            "content": {"kind": "text", "text": f"{nth}"},
        }
        for nth in range(start, start + number)
    ]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select count(*) from outbox.enqueue_batch(%s)", (json.dumps(items),))


def until(happened: Callable[[], object], what: str) -> None:
    """Wait for something to happen."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {PATIENCE} s: {what}")
        time.sleep(0.05)


def needs(url: str, process: psutil.Process) -> Needs:
    """Return what a worker has now."""
    family = [process, *process.children(recursive=True)]
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and backend_type = 'client backend'"
        ).fetchone()
    return Needs(sum(one.memory_info().rss for one in family), int(row[0]) if row else 0)


def reconnect(url: str, other_side: Account) -> None:
    """Lose the connection, and have it again at once."""
    before = other_side.logins()
    other_side.drop()
    with psycopg.connect(url, autocommit=True) as connection:

        def is_back() -> bool:
            waits = connection.execute("select 1 from outbox.connection where state = 'waiting'")
            if waits.fetchone():
                connection.execute("select outbox.resume('main')")
            return other_side.logins() > before and other_side.connected

        until(is_back, "it is connected again")


def test_soak(url: str, whatsapp: WhatsApp, other_side: Account, tmp_path: Path) -> None:
    """A worker fits into a small dyno, and grows neither with messages nor with reconnects."""
    folder = tmp_path / "disk"
    folder.mkdir()
    sent = 0
    with running_worker(url, "main", whatsapp.environment, folder) as worker:
        process = psutil.Process(worker.pid)
        found: list[Needs] = []
        for part in range(RECONNECTS + 1):
            size = MESSAGES // (RECONNECTS + 1)
            enqueue(url, size, start=sent)
            sent += size
            other_side.wait_received(sent, PATIENCE)
            found.append(needs(url, process))
            if part < RECONNECTS:
                reconnect(url, other_side)
        warm = found[len(found) // 4]
        print(f"after {sent} messages, {RECONNECTS} reconnects: {warm} -> {found[-1]}")  # noqa: T201
    assert max(one.memory for one in found) < MOST_MEMORY
    assert max(one.connections for one in found) <= MOST_CONNECTIONS
    assert found[-1].memory < warm.memory * 1.15
    assert len(other_side.received()) == sent
    assert not list(folder.iterdir())


def test_restart_on_an_empty_disk(
    url: str, whatsapp: WhatsApp, other_side: Account, tmp_path: Path
) -> None:
    """The login is in the database: a new machine is paired, and sends the queue in order."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    with running_worker(url, "main", whatsapp.environment, first) as worker:
        enqueue(url, 3, recipients=1)
        other_side.wait_received(3)
        worker.kill()
    assert not list(first.iterdir())
    enqueue(url, 20, recipients=1, start=3)
    second.mkdir()
    with running_worker(url, "main", whatsapp.environment, second):
        other_side.wait_received(23)
    assert [one.text for one in other_side.received()] == [str(nth) for nth in range(23)]
    assert not list(second.iterdir())


def test_gone_within_ten_seconds(
    url: str, whatsapp: WhatsApp, other_side: Account, tmp_path: Path
) -> None:
    """Told to stop while WhatsApp answers nothing, it gives the account back and is gone."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with running_worker(url, "main", whatsapp.environment, folder) as worker:
        other_side.wait_logins(1)
        other_side.silence()
        enqueue(url, 3, recipients=1)
        other_side.wait_received(1)
        family = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children()]
        family[-1].suspend()  # it does not even hear that it is to stop
        worker.terminate()
        assert not psutil.wait_procs(family, timeout=10)[1]
        assert worker.wait() == 0
    with psycopg.connect(url) as connection:
        states = connection.execute(
            "select state, count(*) from outbox.notification group by 1 order by 1"
        ).fetchall()
        owned = connection.execute("select 1 from outbox.lease where owner is not null").fetchone()
    assert states == [("pending", 2), ("unknown", 1)]
    assert owned is None


def test_media_are_held_once(
    url: str, whatsapp: WhatsApp, other_side: Account, tmp_path: Path
) -> None:
    """A large document passes through the worker in pieces, on its way to the process."""
    folder = tmp_path / "disk"
    folder.mkdir()
    size = 48 * 2**20
    with running_worker(url, "main", whatsapp.environment, folder) as worker:
        enqueue(url, 1)
        other_side.wait_received(1)
        process = psutil.Process(worker.pid)
        before = process.memory_info().rss
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute(
                "select outbox.store_media(%s, 'application/pdf')", (os.urandom(size),)
            ).fetchone()
            assert row
            content = {"kind": "document", "media": row[0], "filename": "report.pdf"}
            connection.execute("select outbox.enqueue('+447700900001', %s)", (json.dumps(content),))
        most = before
        deadline = time.monotonic() + PATIENCE
        while len(other_side.received()) < 2:
            most = max(most, process.memory_info().rss)
            assert time.monotonic() < deadline
    assert len(whatsapp.uploads()[0]) > size
    assert most - before < size / 2
