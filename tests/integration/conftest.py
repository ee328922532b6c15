"""Tests that need no database of their own share one, and take back what they did."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg
import pytest
from psycopg import sql

from outbox.log.pool import open_pool
from tests import web_api
from tests.databases import database


class Undone(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose statements each stand or fall alone, in a transaction that is undone."""

    def execute(  # type: ignore[override]  # no templates, no binary results
        self,
        query: str | bytes | sql.Composable,
        params: Sequence[Any] | Mapping[str, Any] | None = None,
    ) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run a statement, as a connection that commits each would."""
        with self.transaction():
            return super().execute(query, params)  # type: ignore[arg-type]


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "undone: tests on one connection share a database and are rolled back"
    )


@pytest.fixture(scope="module")
def shared_url(server_url: str, template: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database at the newest revision, for the tests of a module."""
    with database(server_url, request.module.__name__.rpartition(".")[2], template) as url:
        yield url


@pytest.fixture
def connection(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A connection to the test's database that commits each statement.

    In a module marked `undone` it does so for show, unless the test asks for `database_url`, too.
    """
    if request.node.get_closest_marker("undone") and "database_url" not in request.fixturenames:
        with (
            Undone.connect(request.getfixturevalue("shared_url")) as shared,
            shared.transaction(force_rollback=True),
        ):
            yield shared
    else:
        url = request.getfixturevalue("database_url")
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection


@pytest.fixture
def api(database_url: str, connection: psycopg.Connection) -> Iterator[web_api.Api]:
    """The HTTP API of the test's database, within this process."""
    with open_pool(database_url, "web test") as pool:
        api = web_api.made(pool, connection)
        with api.client:  # all that it asks is asked of one event loop
            yield api
