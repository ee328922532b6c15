"""What the tests share: a server, a migrated template and a fresh database for each test."""

import importlib.util
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.databases import database, embedded_server, roles_left_as_they_were

_numbers = count(1)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The server to test on: DATABASE_URL, or an embedded one that lives as long as the run."""
    given = os.environ.get("DATABASE_URL")
    if given:
        with roles_left_as_they_were(given):
            yield given
        return
    binaries = os.environ.get("OUTBOX_TEST_BINARIES")
    with embedded_server(Path(binaries) if binaries else None) as url:
        yield url


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """The name of a database migrated to the newest revision, which tests copy."""
    with database(server_url, "template") as url:
        if importlib.util.find_spec("outbox.log.migrate"):
            importlib.import_module("outbox.log.migrate").upgrade(url)
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """A fresh database at the newest revision, for one test."""
    with database(server_url, str(next(_numbers)), template) as url:
        yield url


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection to the test's database that commits each statement."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection
