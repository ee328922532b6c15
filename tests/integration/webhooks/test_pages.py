"""/webhooks in a browser: who sees what, and what the forms of an administrator do."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from fastapi.testclient import TestClient

from outbox.errors import UnknownWebhook
from outbox.log import webhooks
from outbox.log.pool import open_pool
from outbox.web.app import create_app
from outbox.webhooks.sender import Sender
from tests import web_api
from tests.cli_runner import enqueue
from tests.receiver import Receiver
from tests.web_api import Api
from tests.web_pages import Browser, log_in
from tests.webhooks import log, settle, subscribe

SECRET_PATH = "https://shop.example/hooks/T0P5ECRET"  # noqa: S105 - a path that is one, too


@pytest.fixture
def api(database_url: str, connection: psycopg.Connection) -> Iterator[Api]:
    """What serves the pages; webhooks may point inside."""
    with open_pool(database_url, "web test") as pool:
        made = web_api.made(pool, connection)
        service = replace(made.service, webhooks_inside=True)
        client = TestClient(create_app(service), raise_server_exceptions=False)
        yield replace(made, client=client, service=service)


@pytest.fixture
def admin(api: Api) -> Browser:
    """Somebody whose token is for everything."""
    return log_in(api, "admin")


def test_whoever_reads_sees_how_it_goes_and_no_more(
    api: Api, connection: psycopg.Connection
) -> None:
    """No form, no secret, and of the URL the host alone."""
    made = webhooks.create(connection, "shop", SECRET_PATH, events=["sent"], account="main")
    webhooks.disable(connection, "shop")
    enqueue(connection)
    reader = log_in(api, "read", "operate")
    for path in ("/webhooks", "/webhooks/shop"):
        shown = reader.get(path).text
        assert "ago: an operator disabled it" in shown
        assert "next is position 1, " in shown
        assert "sent of main" in shown
        assert "shop.example" in shown
        assert "T0P5ECRET" not in shown
        assert made.secret not in shown
        assert 'action="/webhooks' not in shown
    assert reader.get("/webhooks/other").status_code == 404


def test_a_scope_cannot_do_more(api: Api, connection: psycopg.Connection) -> None:
    """Nothing that changes a webhook is done for whoever is no administrator, or from afar."""
    webhooks.create(connection, "shop", SECRET_PATH)
    before = connection.execute("select * from outbox.webhook, outbox.cursor").fetchall()
    forms = {
        "/webhooks": {"name": "other", "url": SECRET_PATH},
        "/webhooks/shop/enable": {},
        "/webhooks/shop/disable": {},
        "/webhooks/shop/delete": {},
        "/webhooks/shop/replay": {"position": "1"},
        "/webhooks/shop/test": {},
    }
    operator = log_in(api, "enqueue", "read", "operate")
    admin = log_in(api, "admin")
    for path, fields in forms.items():
        answer = operator.post(path, **fields)
        assert answer.status_code == 403, path
        assert "It needs the scope admin" in answer.text
        assert admin.post(path, csrf="x", **fields).status_code == 403, path
    after = connection.execute("select * from outbox.webhook, outbox.cursor").fetchall()
    assert after == before


def test_the_secret_is_shown_once(
    admin: Browser, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """After the creation, on a page that does not refresh itself; and it is the one that signs."""
    answer = admin.post(
        "/webhooks", name="shop", url=receiver.url, event=["enqueued", "sent"], account="main"
    )
    assert answer.status_code == 201
    found = webhooks.named(connection, "shop")
    assert (found.events, found.account) == (["enqueued", "sent"], "main")
    assert found.secret in answer.text
    assert "data-live" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    receiver.secret = found.secret
    enqueue(connection)
    settle(connection, Sender(inside=True))
    assert receiver.ids == log(connection)
    for path in ("/webhooks", "/webhooks/shop"):
        shown = admin.get(path).text
        assert found.secret not in shown
        assert "it has been told of everything" in shown
        assert "data-live" in shown


def test_what_cannot_be_is_said_beside_what_was_typed(
    admin: Browser, connection: psycopg.Connection
) -> None:
    """And nothing is made; what was typed is not lost while the page is kept fresh."""
    webhooks.create(connection, "shop", SECRET_PATH)
    for fields, why in (
        ({"name": "Shop"}, "Not a name of a webhook: Shop"),
        ({"name": "shop"}, "There is a webhook of this name already: shop"),
        ({"url": "ftp://8.8.8.8/"}, "Not a URL of a webhook: ftp://8.8.8.8/"),
        ({"position": "8"}, "Not a position of the log: 8"),
        ({"account": "My account"}, "Not a name of an account: My account"),
        ({"event": "send"}, "Not a type of event: send"),
    ):
        given = {"name": "other", "url": "https://8.8.8.8/", "event": "sent", **fields}
        answer = admin.post("/webhooks", **given)
        assert answer.status_code == 422
        assert why in answer.text
        assert "data-live" not in answer.text
        for name, value in fields.items():
            assert name == "event" or f'value="{value}"' in answer.text
    assert [one.name for one in webhooks.listed(connection)] == ["shop"]


def test_an_administrator_changes_it(
    admin: Browser, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """Disabled and enabled by name of the token, told again from a position, deleted."""
    for _ in range(3):
        enqueue(connection)
    subscribe(connection, receiver)
    answer = admin.post("/webhooks/shop/disable")
    assert answer.headers["location"] == "/webhooks/shop"
    assert webhooks.named(connection, "shop").disabled_because == "token admin disabled it"
    assert "ago: token admin disabled it" in admin.get("/webhooks/shop").text
    admin.post("/webhooks/shop/enable")
    assert webhooks.named(connection, "shop").state == "enabled"
    assert admin.post("/webhooks/shop/replay", position="2").status_code == 303
    settle(connection, Sender(inside=True))
    assert receiver.ids == log(connection)[1:]
    answer = admin.post("/webhooks/shop/replay", position="7")
    assert answer.status_code == 422
    assert "It has 1 to 3, and 4 is next." in answer.text
    assert admin.post("/webhooks/other/replay", position="1").status_code == 404
    assert admin.post("/webhooks/shop/delete").headers["location"] == "/webhooks"
    with pytest.raises(UnknownWebhook):
        webhooks.named(connection, "shop")


def test_a_test_says_what_came_back(
    admin: Browser, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """Success or failure, on a page that keeps it."""
    subscribe(connection, receiver)
    answer = admin.post("/webhooks/shop/test")
    assert "The test arrived: shop answered 204." in answer.text
    receiver.status = 500
    answer = admin.post("/webhooks/shop/test")
    assert "The test failed: it answered 500 Internal Server Error" in answer.text
    assert "data-live" not in answer.text
    assert webhooks.named(connection, "shop").failures == 0


def test_a_failing_one_says_why_and_when_it_is_tried_again(
    admin: Browser, connection: psycopg.Connection, receiver: Receiver
) -> None:
    """In plain words, with a way to try at once."""
    subscribe(connection, receiver)
    receiver.status = 503
    enqueue(connection)
    settle(connection, Sender(inside=True))
    for path in ("/webhooks", "/webhooks/shop"):
        shown = admin.get(path).text
        assert "1 failure in a row, next try " in shown
        assert "it answered 503 Service Unavailable" in shown
    assert "Try again now" in admin.get("/webhooks/shop").text
