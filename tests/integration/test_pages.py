"""The pages: who may see them, what their forms do, and what is shown when something is wrong."""

import re
from dataclasses import replace

import psycopg
import pytest
from fastapi.testclient import TestClient

from outbox.log import notifications, tokens
from outbox.web.app import create_app
from outbox.web.dashboard.logins import COOKIE, Logins
from outbox.web.service import STREAMS
from tests.cli_runner import Session, enqueue
from tests.web_api import Api
from tests.web_pages import Browser, log_in

PAGES = (
    *("/", "/notifications", "/dead-letters", "/recipients", "/connections", "/accounts"),
    "/webhooks",
)


@pytest.fixture
def operator(api: Api) -> Browser:
    """Somebody whose token is for everything but accounts."""
    return log_in(api, "enqueue", "read", "operate")


@pytest.mark.parametrize("path", [*PAGES, "/notifications/new", "/accounts/main"])
def test_nobody_sees_a_page_before_the_login(api: Api, path: str) -> None:
    """Each leads to the login, and from there back to itself."""
    answer = api.client.get(path, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")
    back = api.client.post(
        "/login",
        data={"token": api.token("admin"), "next": path},
        follow_redirects=False,
    )
    assert back.headers["location"] == path


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_nothing_but_our_own(operator: Browser, path: str) -> None:
    """The policy allows no inline script or style, and the pages have none."""
    answer = operator.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", answer.text)
    scripts: list[str] = re.findall(r"<script([^>]*)>", answer.text)
    assert all('src="/static/' in one or 'type="application/json"' in one for one in scripts)
    assert "https://" not in answer.text


def test_the_cookie_holds_no_token(api: Api) -> None:
    """It is the token's name, signed, out of the reach of scripts; over TLS it stays there."""
    secret = api.token("read")
    answer = api.client.post("/login", data={"token": secret}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert secret not in cookie
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "Secure" not in cookie
    answer = api.client.post(
        "/login",
        data={"token": secret},
        headers={"X-Forwarded-Proto": "https"},
        follow_redirects=False,
    )
    assert "Secure" in answer.headers["set-cookie"]


def test_a_cookie_that_was_made_up_is_none(api: Api) -> None:
    """Only what was signed with this secret counts."""
    tokens.create(api.connection, "boss", ["admin"])
    for cookie in (Logins("another secret " * 4).issue("boss"), '["boss","x"]', "", "x.y.z"):
        client = TestClient(api.client.app, cookies={COOKIE: cookie})
        assert client.get("/", follow_redirects=False).status_code == 303


def test_a_revoked_token_ends_its_logins(api: Api) -> None:
    """At the next request."""
    browser = log_in(api, "read")
    assert browser.get("/").status_code == 200
    tokens.revoke(api.connection, "read")
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize("scopes", [("enqueue",), ("operate",)])
def test_pages_need_the_scope_read(api: Api, scopes: tuple[str, ...]) -> None:
    """What the token has is said."""
    answer = api.client.post("/login", data={"token": api.token(*scopes)})
    assert answer.status_code == 401
    assert f"has {scopes[0]}; pages need the scope read" in answer.text


def test_a_login_leads_nowhere_else(api: Api) -> None:
    """What would lead to another site leads to the overview."""
    for path in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"):
        answer = api.client.post(
            "/login", data={"token": api.token("read"), "next": path}, follow_redirects=False
        )
        assert answer.headers["location"] == "/"
    answer = api.client.post(
        "/login",
        data={"token": api.token("read")},
        headers={"Sec-Fetch-Site": "cross-site"},
        follow_redirects=False,
    )
    assert answer.status_code == 403


def test_a_form_of_another_site_does_nothing(
    operator: Browser, connection: psycopg.Connection
) -> None:
    """It cannot know what the login's own forms carry."""
    pending = enqueue(connection)
    for csrf in ("", "x", "é"):
        answer = operator.post(f"/notifications/{pending}/cancel", csrf=csrf)
        assert answer.status_code == 403
    assert notifications.show(connection, pending).state == "pending"
    assert operator.post(f"/notifications/{pending}/cancel").status_code == 303
    assert notifications.show(connection, pending).state == "cancelled"


def test_a_scope_cannot_do_more(api: Api, connection: psycopg.Connection) -> None:
    """Who may only read can neither requeue, nor cancel, nor enqueue, nor connect, nor pair."""
    session = Session(connection)
    dead, pending = enqueue(connection), enqueue(connection, "+447700900124")
    session.end("rejected", dead, error="error 479")
    browser = log_in(api, "read")
    for path in (
        f"/notifications/{dead}/requeue",
        f"/notifications/{pending}/cancel",
        "/notifications/new",
        "/dead-letters/requeue",
        "/accounts/main/resume",
        "/accounts/main/pair",
        "/accounts/main/pair/stop",
        "/accounts/main/unpair",
    ):
        answer = browser.post(path, id=str(dead), recipient="+447700900123", text="hello")
        assert answer.status_code == 403, path
        assert "has read" in answer.text
    assert notifications.show(connection, dead).state == "rejected"
    assert notifications.show(connection, pending).state == "pending"
    count = connection.execute("select count(*) from outbox.notification").fetchone()
    assert count == (2,)


def test_who_may_pair_sees_how(api: Api, operator: Browser) -> None:
    """An account that nobody knows yet is shown to nobody else; its name has to be one."""
    admin = log_in(api, "admin")
    assert "Begin with" in admin.get("/accounts").text
    assert "Begin with" not in operator.get("/accounts").text
    assert admin.get("/accounts/main").status_code == 200
    assert operator.get("/accounts/main").status_code == 404
    assert admin.get("/accounts/Main").status_code == 422
    refused = admin.post("/accounts/main/pair")
    assert refused.status_code == 409
    assert "tests have no phone" in refused.text
    assert "data-live" not in refused.text  # at this address there is nothing to be asked anew
    assert operator.post("/accounts/main/pair").status_code == 403
    for path in ("pair", "pair/stop", "unpair"):
        assert admin.post(f"/accounts/main/{path}", csrf="x").status_code == 403


def test_a_text_is_enqueued_by_hand(operator: Browser, connection: psycopg.Connection) -> None:
    """The log names the token; what is refused is said beside what was typed."""
    answer = operator.post("/notifications/new", recipient="+447700900123", text="Hello <b>Ann</b>")
    assert answer.status_code == 303
    shown = operator.get(answer.headers["location"]).text
    assert "Hello &lt;b&gt;Ann&lt;/b&gt;" in shown
    row = connection.execute("select metadata from outbox.event where type = 'enqueued'").fetchone()
    assert row == ({"token": "enqueue-read-operate"},)
    answer = operator.post("/notifications/new", recipient="447700900123", text="Hello")
    assert answer.status_code == 422
    assert "Did you mean +447700900123?" in answer.text
    assert 'value="447700900123"' in answer.text


def test_dead_letters_are_requeued(operator: Browser, connection: psycopg.Connection) -> None:
    """The chosen, or all of the filter; each with the token's name, and what was withdrawn not."""
    session = Session(connection)
    dead = [enqueue(connection, f"+4477009001{number:02}") for number in range(4)]
    session.end("rejected", *dead, error="error 479")
    withdrawn = enqueue(connection)
    connection.execute("select outbox.cancel(%s)", (withdrawn,))
    assert "Requeue all 4" in operator.get("/dead-letters").text
    answer = operator.post("/dead-letters/requeue", id=[str(dead[0])])
    assert "1 notification requeued" in operator.get(answer.headers["location"]).text
    assert notifications.show(connection, dead[0]).state == "pending"
    assert notifications.show(connection, dead[1]).state == "rejected"
    operator.post("/dead-letters/requeue", everything="true")
    states = {notifications.show(connection, one).state for one in dead}
    assert states == {"pending"}
    assert notifications.show(connection, withdrawn).state == "cancelled"
    rows = connection.execute(
        "select distinct metadata->>'token' from outbox.event where type = 'requeued'"
    ).fetchall()
    assert rows == [("enqueue-read-operate",)]


def test_notifications_are_found(operator: Browser, connection: psycopg.Connection) -> None:
    """By the beginning of an id, by recipient and by state; what is misspelt is said."""
    one, other = enqueue(connection), enqueue(connection, "+447700900124")
    answer = operator.get(f"/notifications?id={str(one)[:23]}")
    assert answer.headers["location"] in {f"/notifications/{one}", f"/notifications/{other}"}
    listed = operator.get("/notifications?to=%2B447700900124&state=open").text
    assert str(other) in listed
    assert str(one) not in listed
    shared = operator.get(f"/notifications?id={str(one)[:4]}")
    assert shared.status_code == 422
    assert "Give more of its digits" in shared.text
    assert operator.get("/notifications?to=nobody").status_code == 422
    assert operator.get("/notifications?state=lost").status_code == 422
    missing = operator.get("/notifications/00000000-0000-0000-0000-000000000000")
    assert missing.status_code == 404
    assert "<h1>" in missing.text


def test_a_timeline_is_a_picture_and_rows(
    operator: Browser, connection: psycopg.Connection
) -> None:
    """Every event is in both, with its reason."""
    one = enqueue(connection)
    session = Session(connection)
    session.end("failed", one, error="error 503")
    shown = operator.get(f"/notifications/{one}").text
    picture = re.search(r'<svg class="timeline"[^>]*aria-label="([^"]+)"', shown)
    assert picture is not None
    assert picture[1] == "enqueued, attempt_started, attempt_failed"
    assert shown.count("<circle") == 3
    assert "attempt 1 failed: error 503" in shown


def test_without_a_secret_there_are_no_pages(api: Api) -> None:
    """They say what to set; the API works."""
    app = create_app(replace(api.service, logins=None))
    client = TestClient(app, raise_server_exceptions=False)
    for path in ("/", "/login"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "openssl rand -hex 32" in answer.text
    assert client.get("/healthz").status_code == 200


def test_a_process_keeps_so_many_pages_up_to_date(api: Api, operator: Browser) -> None:
    """One more is told so, and not kept waiting."""
    for _ in range(STREAMS):
        assert api.service.streams.acquire(blocking=False)
    answer = operator.get("/live")
    assert answer.status_code == 503
    assert f"{STREAMS} pages are open" in answer.text
