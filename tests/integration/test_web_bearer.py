"""Tokens over HTTP: who may do what, how often, and who may not."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from fastapi import Request

from outbox.log import tokens
from outbox.log.pool import Pool, open_pool
from outbox.web.rate import Rate
from tests.web_api import HELLO, Api, made, wrong

ENDPOINTS = {
    ("POST", "/v1/notifications"): "enqueue",
    ("POST", "/v1/media"): "enqueue",
    ("GET", "/v1/notifications"): "read",
    ("GET", "/v1/notifications/{id}"): "read",
    ("GET", "/v1/accounts"): "read",
    ("GET", "/v1/recipients"): "read",
    ("GET", "/metrics"): "read",
    ("POST", "/v1/notifications/{id}/cancel"): "operate",
    ("POST", "/v1/notifications/{id}/requeue"): "operate",
    ("POST", "/v1/webhooks"): "admin",
    ("GET", "/v1/webhooks"): "admin",
    ("GET", "/v1/webhooks/{name}"): "admin",
    ("DELETE", "/v1/webhooks/{name}"): "admin",
    ("POST", "/v1/webhooks/{name}/enable"): "admin",
    ("POST", "/v1/webhooks/{name}/disable"): "admin",
    ("POST", "/v1/webhooks/{name}/replay"): "admin",
    ("POST", "/v1/webhooks/{name}/test"): "admin",
    ("PUT", "/v1/recipients/{id}/suppression"): "operate",
    ("DELETE", "/v1/recipients/{id}/suppression"): "operate",
    ("DELETE", "/v1/recipients/{id}"): "admin",
    ("GET", "/v1/recipients/{id}/export"): "admin",
    ("POST", "/v1/accounts/{account}/pairing"): "admin",
    ("GET", "/v1/accounts/{account}/pairing"): "admin",
    ("GET", "/v1/accounts/{account}/pairing/qr.svg"): "admin",
    ("DELETE", "/v1/accounts/{account}/pairing"): "admin",
    ("POST", "/v1/accounts/{account}/unpair"): "admin",
}
"""What each endpoint needs."""


@pytest.fixture
def pool(database_url: str) -> Iterator[Pool]:
    """Connections to the test's database."""
    with open_pool(database_url, "web test") as pool:
        yield pool


def test_every_endpoint_needs_a_scope(api: Api) -> None:
    """But for those that watch the process; a new one is entered above."""
    document = api.ask("GET", "/openapi.json", scope=None).json()
    found = {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    guarded = {place for place, operation in found.items() if "security" in operation}
    assert guarded == set(ENDPOINTS)
    assert found.keys() - guarded == {("GET", "/healthz"), ("GET", "/readyz")}
    for place, scope in ENDPOINTS.items():
        assert f"Needs the scope `{scope}`." in found[place]["description"]


@pytest.mark.parametrize("scope", tokens.SCOPES)
def test_a_scope_is_for_its_endpoints_alone(api: Api, scope: str) -> None:
    """Every scope at every endpoint: it may, or 403 says what it lacks; admin may all."""
    for (method, path), needed in ENDPOINTS.items():
        there = path.format(id=uuid4(), account="main", name="shop")
        answer = api.ask(method, there, scope=scope)
        if scope in {needed, "admin"}:
            assert answer.status_code not in {401, 403}
            continue
        found = wrong(answer, 403, "missing_scope")
        assert found["detail"] == f"It needs the scope {needed}; token {scope} has {scope}"
        assert f'scope="{needed}"' in answer.headers["www-authenticate"]


def test_a_scope_that_is_missing_does_nothing(api: Api, connection: psycopg.Connection) -> None:
    """What was asked for has not happened."""
    id_ = UUID(api.enqueue(scope="enqueue").json()["id"])
    wrong(api.enqueue(scope="read"), 403, "missing_scope")
    wrong(api.ask("POST", f"/v1/notifications/{id_}/cancel", scope="read"), 403, "missing_scope")
    rows = connection.execute("select state from outbox.notification").fetchall()
    assert rows == [("pending",)]


def test_scopes_add_up(api: Api) -> None:
    """A token may have several."""
    assert api.enqueue(scope="enqueue").status_code == 202
    both = {"Authorization": f"Bearer {api.token('enqueue', 'read')}"}
    assert api.enqueue(headers=both).status_code == 202
    assert api.ask("GET", "/v1/accounts", headers=both).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer outbox_",
        b"Bearer outbox_" + b"A" * 43,
        b"Bearer \xff",
        b"Basic YWRtaW46YWRtaW4=",
    ],
)
def test_without_a_valid_token_there_is_401(api: Api, header: bytes | None) -> None:
    """No endpoint answers, whatever else is wrong with the request, and none has a default."""
    headers: dict[Any, Any] = {} if header is None else {b"Authorization": header}
    for method, path in ENDPOINTS:
        answer = api.client.request(
            method,
            path.format(id="7", account="main", name="-"),
            headers=headers,
            params={"nonsense": "x"},
        )
        wrong(answer, 401, "no_token")
        assert answer.headers["www-authenticate"].startswith('Bearer realm="outbox"')


def test_a_revoked_token_ends_at_once(api: Api, connection: psycopg.Connection) -> None:
    """The next request is refused."""
    assert api.enqueue(scope="enqueue").status_code == 202
    tokens.revoke(connection, "enqueue")
    found = wrong(api.enqueue(scope="enqueue"), 401, "no_token")
    assert found["detail"] == "Token enqueue is revoked"


def test_an_expired_token_is_none(api: Api, connection: psycopg.Connection) -> None:
    """By the database's clock."""
    assert api.enqueue(scope="enqueue").status_code == 202
    connection.execute("update outbox.token set expires_at = statement_timestamp()")
    found = wrong(api.enqueue(scope="enqueue"), 401, "no_token")
    assert found["detail"] == "Token enqueue is expired"


def test_a_stranger_is_refused_before_its_body_is_read(api: Api) -> None:
    """Otherwise anybody could fill the memory."""

    def never() -> Iterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Request, "stream", never)
        for path in ("/v1/notifications", "/v1/media"):
            wrong(api.ask("POST", path, scope=None, content=b"x"), 401, "no_token")
            wrong(api.ask("POST", path, scope="read", content=b"x"), 403, "missing_scope")


# how often


def test_each_token_has_so_many_within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has used them up waits until the first of them is a minute ago."""
    now = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    rate = Rate(3)
    assert [rate.take("shop") for _ in range(3)] == [0] * 3
    now += 20
    assert rate.take("shop") == pytest.approx(40)
    assert rate.take("other") == 0
    now += 41
    assert rate.take("shop") == 0


def test_whoever_asks_too_often_is_told_when_to_come_again(
    pool: Pool, connection: psycopg.Connection
) -> None:
    """429 with Retry-After, for this token alone, and nothing is done."""
    api = made(pool, connection, a_minute=2)
    assert [api.enqueue(scope="enqueue").status_code for _ in range(2)] == [202, 202]
    answer = api.enqueue(HELLO, scope="enqueue")
    wrong(answer, 429, "too_many_requests")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert api.enqueue(scope="admin").status_code == 202
    assert api.ask("GET", "/healthz", scope=None).status_code == 200
