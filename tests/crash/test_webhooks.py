"""Workers killed or stopped while they send webhooks: each event arrives, in its stream's order."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from outbox.log import webhooks
from outbox.session.phone import Behaviour, Phone
from tests.cli_runner import enqueue
from tests.puppet import until
from tests.receiver import Receiver

Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker that may send to loopback."""
    with ExitStack() as after:
        behaviour = Behaviour(latency=0.01, delivered=0.02)
        phone = after.enter_context(Phone.start(tmp_path, behaviour=behaviour))

        def start() -> "subprocess.Popen[bytes]":
            log = after.enter_context((tmp_path / "worker.log").open("ab"))
            worker = subprocess.Popen(
                [sys.executable, "-m", "outbox", "worker"],
                env={
                    **os.environ,
                    "DATABASE_URL": database_url,
                    "OUTBOX_SESSION": phone.url,
                    "OUTBOX_LEASE_SECONDS": "1",
                    "OUTBOX_WEBHOOKS_INSIDE": "true",
                },
                stdout=log,
                stderr=log,
            )
            after.callback(worker.wait)
            after.callback(worker.kill)
            return worker

        yield start


def _await_more(receiver: Receiver, count: int) -> None:
    some = len(receiver.got) + count
    until(lambda: len(receiver.got) >= some, "some more have arrived", 30)


def test_killed_workers_and_restarted_receivers_lose_nothing(
    database_url: str, start: Start
) -> None:
    """The sender is killed and the receiver goes down with requests in hand, again and again."""
    receiver = Receiver()
    with psycopg.connect(database_url, autocommit=True) as connection:
        with receiver.up():
            made = webhooks.create(connection, "shop", receiver.url)
        receiver.secret = made.secret
        for turn in range(4):
            worker = start()
            with receiver.up():
                for number in range(20):
                    connection.execute(
                        'select outbox.enqueue(%s, \'{"kind": "text", "text": "hello"}\')',
                        (f"+4477009001{number:02}",),
                    )
                connection.execute(
                    "update outbox.webhook set leased_until = now() where owner is not null"
                )
                connection.execute("update outbox.webhook set retry_at = null")
                _await_more(receiver, 5)
                if turn % 2:
                    worker.kill()
            worker.kill()
            worker.wait()
        connection.execute("update outbox.webhook set leased_until = now() where owner is not null")
        connection.execute("update outbox.webhook set retry_at = null")
        start()

        def missing() -> set[str]:
            rows = connection.execute("select '1-' || position from outbox.event")
            return {id_ for (id_,) in rows} - set(receiver.ids)

        with receiver.up():
            until(lambda: not missing(), "everything has arrived", 60)
    first: dict[str, dict[str, int]] = {}
    for one in receiver.got:
        first.setdefault(one["subject"], {}).setdefault(one["id"], one["data"]["version"])
    assert len(first) > 80
    for versions in first.values():
        assert all(a < b for a, b in pairwise(versions.values()))


@pytest.mark.parametrize("answered", [False, True], ids=["not answered", "answered"])
def test_a_worker_that_is_told_to_stop_loses_nothing(
    database_url: str, start: Start, tmp_path: Path, *, answered: bool
) -> None:
    """SIGTERM with a request in hand: noted if it is answered in time, otherwise it comes again."""
    with Receiver().up() as receiver, psycopg.connect(database_url, autocommit=True) as connection:
        made = webhooks.create(connection, "shop", receiver.url, events=["enqueued"])
        receiver.secret = made.secret
        receiver.let_go.clear()
        for number in range(3):
            enqueue(connection, f"+4477009001{number:02}")
        expected = [
            f"1-{position}"
            for (position,) in connection.execute(
                "select position from outbox.event where type = 'enqueued' order by position"
            )
        ]
        worker = start()
        until(lambda: receiver.asked == 1, "a request is in hand", 30)
        worker.terminate()
        if answered:
            said = tmp_path / "worker.log"
            until(lambda: "event=stopping" in said.read_text("utf-8"), "it begins to stop", 30)
            receiver.let_go.set()
        assert worker.wait(30) == 0
        receiver.let_go.set()
        until(lambda: receiver.ids, "the request in hand has been answered", 30)
        connection.execute("update outbox.webhook set leased_until = now() where owner is not null")
        start()
        until(lambda: set(expected) <= set(receiver.ids), "everything has arrived", 30)
    assert receiver.ids == (expected if answered else [expected[0], *expected])
