"""The OpenAPI document is kept: schemathesis asks what it can think of, and is answered as it says.

Deterministic: the same examples in every run.
"""

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from outbox.caller.waiting import Sending
from outbox.errors import WebhookTaken
from outbox.log import tokens, webhooks
from outbox.log.pool import open_pool
from outbox.session.phone import Phone
from outbox.session.simulated_linking import SimulatedLinking
from outbox.web import enqueueing
from outbox.web.app import create_app
from tests.cli_runner import enqueue
from tests.web_api import TO, service_of

EXAMPLES = 30
"""For each of the document's operations, those that fit it and those that do not."""
KEPT = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
"""What every answer has to be. Whether every request that fits the document is accepted it cannot
say: that a number fits its country's plan, no schema tells."""
TAKE_ANYTHING = (
    *("GET /v1/accounts", "GET /v1/webhooks", "GET /healthz", "GET /readyz", "GET /metrics"),
    "POST /v1/media",
)
"""Operations without parameters, and one whose body is any bytes: nothing does not fit them."""


@pytest.fixture
def schema(
    database_url: str,
    connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Any]:
    """The document of an API that waits for nothing; its phone's codes are scanned by nobody."""
    monkeypatch.setattr(enqueueing, "wait_for", lambda _, id_, __: Sending(id_, "pending"))
    monkeypatch.setattr(enqueueing, "_SLICE", 100.0)
    monkeypatch.setattr(socket, "getaddrinfo", _unknown_host)
    with (
        Phone.start(tmp_path, unpaired=True) as phone,
        open_pool(database_url, "web test") as pool,
    ):
        service = service_of(pool, 1_000_000, SimulatedLinking(phone.url))
        yield schemathesis.openapi.from_asgi("/openapi.json", create_app(service))
        service.closing.set()
        service.pairings.join()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_nothing_is_answered_that_is_not_documented(
    schema: Any,  # noqa: ANN401 - of no public type
    connection: psycopg.Connection,
    mode: GenerationMode,
) -> None:
    """No 5xx; and status, type and form of every answer are in the document."""
    secret = tokens.create(connection, "fuzz", ["admin"]).secret
    there = str(enqueue(connection))
    kept = [CHECKS.get_one(name) for name in KEPT]
    statuses: Counter[tuple[str, int]] = Counter()

    def ask(case: Any) -> None:  # noqa: ANN401
        operation = case.operation.label
        if statuses.total() % 2:
            _come_further(connection, case, there)
        answer = case.call(headers={"Authorization": f"Bearer {secret}"})
        statuses[operation, answer.status_code] += 1
        case.validate_response(answer, checks=kept)

    configured = settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    documented = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        documented.add(operation.label)
        if mode is GenerationMode.POSITIVE or operation.label not in TAKE_ANYTHING:
            strategy = operation.as_strategy(generation_mode=mode)
            decorate: Any = given(strategy)
            configured(decorate(ask))()
    fit = mode is GenerationMode.POSITIVE
    assert {operation for operation, _ in statuses} == (
        documented if fit else documented - {*TAKE_ANYTHING}
    )
    for operation, status in (
        ("POST /v1/notifications", 202),
        ("POST /v1/accounts/{account}/pairing", 202),
        ("POST /v1/webhooks", 201),
        ("DELETE /v1/webhooks/{name}", 204),
        ("POST /v1/webhooks/{name}/test", 200),
    ):
        assert not fit or statuses[operation, status], operation


def _unknown_host(*_: object, **__: object) -> None:
    raise socket.gaierror


def _come_further(connection: psycopg.Connection, case: Any, there: str) -> None:  # noqa: ANN401
    """Let a request speak of what there is, which no example would hit by chance."""
    if "id" in case.path_parameters:
        case.path_parameters["id"] = there
    if "name" in case.path_parameters:
        case.path_parameters["name"] = "shop"
        with suppress(WebhookTaken):
            webhooks.create(connection, "shop", "http://127.0.0.1/")
    if "account" in case.path_parameters:
        case.path_parameters["account"] = "main"
    for one in case.body if isinstance(case.body, list) else [case.body]:
        if isinstance(one, dict) and "recipient" in one:
            one["recipient"] = TO
        if isinstance(one, dict) and "url" in one:
            one |= {"url": "https://shop.example/", "events": [], "position": 1}
    if isinstance(case.query, dict):
        case.query.pop("account", None)
