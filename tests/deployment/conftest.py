"""What the tests of deployments share: commands as processes, and a bearer for the HTTP API."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest

from outbox.log import tokens
from tests.running import PATIENCE, Running

Start = Callable[..., Running]
Client = Callable[[Running], httpx2.Client]


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts commands on the test's database, which are killed at its end."""
    started: list[Running] = []

    def begin(*arguments: str, **environment: str) -> Running:
        log = tmp_path / f"{len(started)}.log"
        running = Running(log, list(arguments), {"DATABASE_URL": database_url, **environment})
        started.append(running)
        return running

    yield begin
    for running in started:
        running.end()


@pytest.fixture
def client(connection: psycopg.Connection) -> Iterator[Client]:
    """Makes a client of a process that serves the HTTP API, with a token for all of it."""
    secret = tokens.create(connection, "shop", ["admin"]).secret
    made: list[httpx2.Client] = []

    def make(web: Running) -> httpx2.Client:
        port = web.wait_for(r"event=started host=\S+ port=(\d+)")[1]
        headers = {"Authorization": f"Bearer {secret}"}
        one = httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=PATIENCE)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()
