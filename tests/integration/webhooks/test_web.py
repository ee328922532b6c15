"""/v1/webhooks: the life of a webhook over HTTP, in the words of the command line."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from fastapi.testclient import TestClient

from outbox.log import webhooks
from outbox.log.pool import open_pool
from outbox.log.types import NOTIFICATION
from outbox.web.app import create_app
from outbox.web.service import WAITERS
from outbox.webhooks.sender import Sender
from tests import web_api
from tests.cli_runner import enqueue, run
from tests.receiver import Receiver
from tests.web_api import Api, wrong
from tests.webhooks import again, log, settle


@pytest.fixture
def api(database_url: str, connection: psycopg.Connection) -> Iterator[Api]:
    """The HTTP API, whose webhooks may point inside."""
    with open_pool(database_url, "web test") as pool:
        made = web_api.made(pool, connection)
        service = replace(made.service, webhooks_inside=True)
        client = TestClient(create_app(service), raise_server_exceptions=False)
        yield replace(made, client=client, service=service)


@pytest.fixture
def outside(api: Api) -> Api:
    """The same, where they may not."""
    service = replace(api.service, webhooks_inside=False)
    client = TestClient(create_app(service), raise_server_exceptions=False)
    return replace(api, client=client, service=service)


def create(api: Api, receiver: Receiver, **more: object) -> None:
    """Make a webhook named shop."""
    answer = api.ask("POST", "/v1/webhooks", json={"name": "shop", "url": receiver.url, **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == "/v1/webhooks/shop"
    receiver.secret = answer.json()["secret"]


def test_the_secret_is_given_once(
    api: Api, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """What is sent is signed with it; no other answer has it."""
    create(api, receiver, events=["enqueued"])
    id_ = enqueue(connection)
    settle(connection, Sender(inside=True))
    assert [one["subject"] for one in receiver.got] == [str(id_)]
    for method, path in (
        *(("GET", ""), ("GET", "/shop"), ("POST", "/shop/enable"), ("POST", "/shop/disable")),
        ("POST", "/shop/test"),
    ):
        answer = api.ask(method, f"/v1/webhooks{path}")
        assert answer.status_code == 200
        assert "whsec" not in answer.text


def test_what_is_answered_is_what_the_command_says(
    api: Api, database_url: str, receiver: Receiver
) -> None:
    """Name for name, so that a program may take either."""
    create(api, receiver, events=["sent", "sent"], account="main")
    shown = run("webhook", "show", "shop", "--json", url=database_url).json
    listed = run("webhook", "list", "--json", url=database_url).json
    over_http = api.ask("GET", "/v1/webhooks/shop").json()
    assert over_http["events"] == ["sent"]
    assert shown.keys() - over_http.keys() == {"secret"}
    assert [one.keys() for one in listed] == [over_http.keys()]
    assert [one["name"] for one in api.ask("GET", "/v1/webhooks").json()["webhooks"]] == ["shop"]


def test_where_it_stands_is_said(
    api: Api, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """The first event that it has not been told of, how many are to come, and what went wrong."""
    create(api, receiver)

    def stands(*names: str) -> list[object]:
        found = api.ask("GET", "/v1/webhooks/shop").json()
        return [found[name] for name in names]

    sender = Sender(inside=True)
    assert stands("state", "position", "behind", "behind_seconds") == ["enabled", None, 0, 0]
    for _ in range(3):
        enqueue(connection)
    assert stands("position", "behind") == [1, 3]
    receiver.status = 500
    settle(connection, sender)
    error = "it answered 500 Internal Server Error"
    assert stands("state", "failures", "last_error") == ["failing", 1, error]
    assert None not in stands("failing_since", "retry_at", "position")
    receiver.status = 410
    again(connection)
    settle(connection, sender)
    assert stands("state", "disabled_because") == ["disabled", "it answered 410 Gone"]
    receiver.status = 200
    assert api.ask("POST", "/v1/webhooks/shop/enable").json()["state"] == "enabled"
    settle(connection, sender)
    assert stands("position", "behind") == [None, 0]
    assert receiver.ids == log(connection)


def test_who_disabled_it_is_said(api: Api, receiver: Receiver) -> None:
    """By the token's name; twice is harmless, and the first reason stays."""
    create(api, receiver)
    for _ in range(2):
        answer = api.ask("POST", "/v1/webhooks/shop/disable")
        assert answer.json()["disabled_because"] == "token admin disabled it"


def test_it_is_told_again_from_a_position(
    api: Api, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """Of what it has been told, and of what was there before it."""
    for _ in range(3):
        enqueue(connection)
    create(api, receiver, position=3)
    sender = Sender(inside=True)
    settle(connection, sender)
    assert receiver.ids == log(connection)[2:]
    answer = api.ask("POST", "/v1/webhooks/shop/replay", json={"position": 2})
    assert (answer.json()["position"], answer.json()["behind"]) == (2, 2)
    settle(connection, sender)
    assert receiver.ids == [*log(connection)[2:], *log(connection)[1:]]


def test_a_test_says_what_came_back(api: Api, outside: Api, receiver: Receiver) -> None:
    """A receiver that fails is no failure of the request, and of the webhook nothing changes."""
    create(api, receiver)
    answer = api.ask("POST", "/v1/webhooks/shop/test").json()
    assert (answer["name"], answer["status"], answer["error"]) == ("shop", 204, None)
    assert receiver.ids == [answer["id"]]
    receiver.status = 503
    answer = api.ask("POST", "/v1/webhooks/shop/test").json()
    assert (answer["status"], answer["error"]) == (503, "it answered 503 Service Unavailable")
    answer = outside.ask("POST", "/v1/webhooks/shop/test").json()
    assert answer["status"] is None
    assert answer["error"] == "not https: OUTBOX_WEBHOOKS_INSIDE=true allows it"
    assert receiver.asked == 2
    assert api.ask("GET", "/v1/webhooks/shop").json()["failures"] == 0


def test_so_many_tests_wait_and_no_more(api: Api, receiver: Receiver) -> None:
    """Each has a thread: one more is told to come again."""
    create(api, receiver)
    for _ in range(WAITERS):
        assert api.service.waiters.acquire(blocking=False)
    answer = api.ask("POST", "/v1/webhooks/shop/test")
    wrong(answer, 503, "too_many_waiting")
    assert answer.headers["retry-after"] == "1"


def test_what_is_deleted_is_gone(
    api: Api, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """With its place in the log; its name is free again, and is found nowhere until then."""
    create(api, receiver)
    answer = api.ask("DELETE", "/v1/webhooks/shop")
    assert (answer.status_code, answer.content) == (204, b"")
    assert webhooks.listed(connection) == []
    for method, path in (
        *(("GET", ""), ("DELETE", ""), ("POST", "/enable"), ("POST", "/disable")),
        *(("POST", "/replay"), ("POST", "/test")),
    ):
        answer = api.ask(method, f"/v1/webhooks/shop{path}", json={"position": 1})
        found = wrong(answer, 404, "unknown_webhook")
        assert found["detail"] == "No such webhook: shop"
    create(api, receiver)


@pytest.mark.parametrize(
    ("given", "status", "rule", "field", "way"),
    [
        ({"name": "Shop"}, 422, "bad_webhook", "name", "Give 1 to 63 characters"),
        ({"name": "there"}, 409, "webhook_taken", "name", "Give another name"),
        ({"url": "http://8.8.8.8/"}, 422, "bad_webhook_url", "url", "WEBHOOKS_INSIDE=true allows"),
        ({"url": "https://10.0.0.1/"}, 422, "bad_webhook_url", "url", "with a public address"),
        ({"url": "https://[::1]/"}, 422, "bad_webhook_url", "url", "with a public address"),
        ({"url": "https://a:b@8.8.8.8"}, 422, "bad_webhook_url", "url", "verifies the signature"),
        ({"events": ["send"]}, 422, "bad_event_type", "events", f"are {NOTIFICATION[0]}, "),
        ({"account": "My account"}, 422, "bad_account", "account", "Give 1 to 63 characters"),
        ({"position": 9}, 422, "bad_position", "position", "It has 1 to 1, and 2 is next."),
        ({"position": 0}, 422, "bad_position", "position", "It has 1 to 1"),
        ({"position": "1"}, 422, "bad_parameter", "position", "Correct it"),
        ({"event": "sent"}, 422, "unknown_parameter", "event", "nothing is dropped silently"),
        ({"url": "https://8.8.8.8/\ud800"}, 422, "unpaired_surrogate", "body", "Cut texts"),
    ],
)
def test_what_cannot_be_is_refused(
    outside: Api,
    connection: psycopg.Connection,
    given: dict[str, object],
    status: int,
    rule: str,
    field: str,
    way: str,
) -> None:
    """With the field and the way out, and nothing is made."""
    enqueue(connection)
    webhooks.create(connection, "there", "https://8.8.8.8/")
    body = {"name": "shop", "url": "https://8.8.8.8/", **given}
    found = wrong(outside.ask("POST", "/v1/webhooks", json=body), status, rule)
    assert found["field"] == field
    assert way in found["hint"]
    assert [one.name for one in webhooks.listed(connection)] == ["there"]


def test_a_replay_that_cannot_be_is_refused(
    api: Api, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """The webhook stays where it was."""
    create(api, receiver)
    before = connection.execute("select * from outbox.cursor").fetchall()
    for body, rule in (({"position": 7}, "bad_position"), ({}, "bad_parameter")):
        answer = api.ask("POST", "/v1/webhooks/shop/replay", json=body)
        assert wrong(answer, 422, rule)["field"] == "position"
    assert connection.execute("select * from outbox.cursor").fetchall() == before
