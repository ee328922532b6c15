"""Asks the HTTP API of a database as a program would, within this process."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Any

import httpx2
import psycopg
from fastapi.testclient import TestClient

from outbox.log import tokens
from outbox.log.database import connect
from outbox.log.pool import Pool, async_pool
from outbox.session.linking import Linking
from outbox.web.app import create_app
from outbox.web.dashboard.logins import Logins
from outbox.web.feed import Feed
from outbox.web.gathering import Gathering
from outbox.web.pairings import Pairings
from outbox.web.rate import Rate
from outbox.web.service import Service

TO = "+447700900123"
SECRET = "0123456789abcdef" * 4
HELLO: dict[str, Any] = {"recipient": TO, "text": "hello"}


@dataclass
class Api:
    """The API with a bearer for each scope.

    Attributes:
        client: What asks; it raises nothing that the API has to answer.
        service: What the API's requests share.
        connection: To the database, past the API.
    """

    client: TestClient
    service: Service
    connection: psycopg.Connection
    _secrets: dict[str, str] = field(default_factory=dict)

    def token(self, *scopes: str, expires_in: timedelta | None = None) -> str:
        """Return a token with these scopes, which is named after them."""
        name = "-".join(scopes)
        if name not in self._secrets:
            self._secrets[name] = tokens.create(self.connection, name, scopes, expires_in).secret
        return self._secrets[name]

    def ask(
        self,
        method: str,
        path: str,
        *,
        scope: str | None = "admin",
        headers: Mapping[str, str] | None = None,
        **more: Any,  # noqa: ANN401 - what httpx2 takes
    ) -> httpx2.Response:
        """Ask as the bearer of a token with this scope, or without any."""
        given = dict(headers or {})
        if "json" in more:  # written with escapes, which httpx2 would not do
            more["content"] = json.dumps(more.pop("json"))
            given.setdefault("Content-Type", "application/json")
        if scope is not None:
            given.setdefault("Authorization", f"Bearer {self.token(scope)}")
        answer: httpx2.Response = self.client.request(method, path, headers=given, **more)
        return answer

    def enqueue(self, given: object = None, **more: Any) -> httpx2.Response:  # noqa: ANN401
        """Enqueue a text, unless something else is given."""
        return self.ask("POST", "/v1/notifications", json=given or HELLO, **more)


def service_of(
    pool: Pool, a_minute: int = 100_000, linking: Linking | str = "tests have no phone"
) -> Service:
    """Return what the requests of a web process share; nobody follows the log."""
    closing = Event()
    url = str(pool.conninfo)
    feed = Feed(url, pooled=False, closing=closing)
    pairings = Pairings(linking, partial(connect, url, "web test pairing"), closing)
    return Service(
        pool,
        Gathering(async_pool(url, "web test gathering")),
        Rate(a_minute),
        feed,
        closing,
        pairings,
        Logins(SECRET),
        webhooks_inside=False,
    )


def made(
    pool: Pool,
    connection: psycopg.Connection,
    a_minute: int = 100_000,
    linking: Linking | str = "tests have no phone",
) -> Api:
    """Return the API of a database."""
    service = service_of(pool, a_minute, linking)
    client = TestClient(create_app(service), raise_server_exceptions=False)
    return Api(client, service, connection)


def wrong(answer: httpx2.Response, status: int, rule: str) -> dict[str, Any]:
    """Return the problem that an answer is, which has to have this status and rule."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["rule"] == rule
    assert found["type"] == f"urn:outbox:problem:{rule}"
    assert found["title"]
    assert found["detail"]
    assert found["hint"]
    assert "Traceback" not in answer.text
    return found
