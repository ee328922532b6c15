"""A WhatsApp of its own for each test, and clients of it that do not outlive the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.databases import database
from tests.whatsapp.account import Account
from tests.whatsapp.child import Child
from tests.whatsapp.device import create_store, pair_device, store_url
from tests.whatsapp.listener import Listener, Logins
from tests.whatsapp.server import WhatsApp

SCHEMA = "whatsapp"
_numbers = count(31_600_000_001)


@pytest.fixture(scope="session")
def store_database(server_url: str) -> Iterator[str]:
    """A database with the library's tables, shared by clients that are different devices."""
    with database(server_url, "whatsapp") as url:
        create_store(url, SCHEMA)
        yield url


@pytest.fixture
def whatsapp(tmp_path: Path) -> Iterator[WhatsApp]:
    """A server that nobody is connected to."""
    with WhatsApp.start(tmp_path) as server:
        yield server


@pytest.fixture
def jid() -> str:
    """A device of an account that no other test has."""
    return f"{next(_numbers)}:5@s.whatsapp.net"


@pytest.fixture
def account(whatsapp: WhatsApp, jid: str) -> Account:
    """The server's side of that account."""
    return whatsapp.account(jid)


StartClient = Callable[[str | None], Child]


@pytest.fixture
def start_client(whatsapp: WhatsApp, store_database: str, tmp_path: Path) -> Iterator[StartClient]:
    """Starts clients, as a device that is paired already or as one that is not."""
    with ExitStack() as stack:

        def start(jid: str | None) -> Child:
            url = store_url(store_database, SCHEMA)
            log = tmp_path / "client.log"
            return stack.enter_context(Child.start(whatsapp.environment, url, jid, log))

        yield start


@pytest.fixture
def paired(store_database: str, jid: str) -> str:
    """The device, which the store takes for paired."""
    with psycopg.connect(store_database, autocommit=True) as connection:
        pair_device(connection, SCHEMA, jid)
    return jid


@pytest.fixture
def client(start_client: StartClient, paired: str) -> Child:
    """A client that has been told to connect as the paired device."""
    return start_client(paired)


@pytest.fixture
def connected(client: Child) -> Child:
    """The client, once it has logged in."""
    client.wait("Connected")
    return client


Listen = Callable[..., Listener]


@pytest.fixture
def listen(
    whatsapp: WhatsApp, store_database: str, paired: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Listen]:
    """Makes sessions of the paired device, which are closed after the test."""
    for name, value in whatsapp.environment.items():
        monkeypatch.setenv(name, value)
    logins = Logins(paired, store_url(store_database, SCHEMA))
    with ExitStack() as stack:

        def make(options: str = "close_within=0.5") -> Listener:
            made = Listener(logins, options, account=f"account-{paired.partition(':')[0]}")
            stack.callback(made.close)
            return made

        yield make
