"""Every error is a problem as RFC 9457 has it: never HTML, never a bare string, no traceback."""

from unittest.mock import Mock

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from outbox.errors import Refused, refusal
from outbox.log import schema
from outbox.rules import RULES
from outbox.web import access, accounts
from outbox.web.body import JSON_BYTES
from outbox.web.problems import KINDS, refused
from tests.web_api import HELLO, Api, wrong

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1/notification", "/v1/notifications/", "/docs", "/redoc", "//"]
)
def test_a_path_that_there_is_not(api: Api, path: str) -> None:
    """Nobody is sent elsewhere, either."""
    found = wrong(api.ask("GET", f"http://testserver{path}"), 404, "unknown_route")
    assert path in found["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/notifications", "GET, POST"),
        ("PUT", "/v1/media", "POST"),
        ("POST", "/healthz", "GET"),
        ("OPTIONS", "/v1/accounts", "GET"),
    ],
)
def test_a_method_that_there_is_not(api: Api, method: str, path: str, allowed: str) -> None:
    """Allow names all that the path has."""
    answer = api.ask(method, path)
    wrong(answer, 405, "unknown_method")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b'{"recipient": NaN}',
        b'{"priority": 1e999}',
        b'{"priority": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
    ],
)
def test_what_is_no_json(api: Api, content: bytes) -> None:
    """400, also for numbers that JSON has not and for brackets without end."""
    answer = api.ask("POST", "/v1/notifications", content=content, headers=JSON)
    wrong(answer, 400, "not_json")


def test_deep_json_is_no_mistake_of_ours(api: Api) -> None:
    """Whatever Python or PostgreSQL makes of it, it is the caller's to mend."""
    for depth in (100, 900, 5000, 20_000):
        nested = '{"recipient": "+447700900123", "text": "x", "metadata": {"a": '
        nested += "[" * depth + "]" * depth + "}}"
        answer = api.ask("POST", "/v1/notifications", content=nested, headers=JSON)
        assert answer.status_code in {202, 400, 422}, (depth, answer.text)


@pytest.mark.parametrize("type_", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_of_another_type(api: Api, type_: str) -> None:
    """415 with what it said it was."""
    headers = {"Content-Type": type_}
    answer = api.ask("POST", "/v1/notifications", content=b"{}", headers=headers)
    found = wrong(answer, 415, "bad_content_type")
    assert (type_ or "of no type") in found["detail"]


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large(api: Api, *, announced: bool) -> None:
    """413, whether its length is announced or not."""
    data = b'"' + b"x" * JSON_BYTES + b'"'
    content = data if announced else iter([data[:1000], data[1000:]])
    answer = api.ask("POST", "/v1/notifications", content=content, headers=JSON)
    assert str(JSON_BYTES) in wrong(answer, 413, "body_too_large")["hint"]


@pytest.mark.parametrize(
    "error",
    [
        PoolTimeout("couldn't get a connection after 5.00 sec"),
        psycopg.OperationalError("server closed the connection unexpectedly"),
        psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"),
        psycopg.errors.DeadlockDetected("deadlock detected"),
        psycopg.InterfaceError("the connection is closed"),
    ],
)
def test_a_database_that_is_not_to_be_had(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """503 with Retry-After: repeating it may do."""

    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(accounts, "overview", fail)
    answer = api.ask("GET", "/v1/accounts")
    wrong(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "1"


def test_a_mistake_of_ours_tells_nothing_of_itself(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 with the kind of error; the rest is in the log."""

    def fail(_: object) -> None:
        raise ZeroDivisionError("the secret is 42")

    monkeypatch.setattr(accounts, "overview", fail)
    found = wrong(api.ask("GET", "/v1/accounts"), 500, "unexpected")
    assert "42" not in str(found)


def test_a_caller_who_holds_a_lock_does_not_stop_the_api(
    api: Api, database_url: str, connection: psycopg.Connection
) -> None:
    """After five seconds it is 503, and repeating it is safe with the key."""
    del connection
    api.token("admin")
    with psycopg.connect(database_url) as other:
        other.execute(
            "select outbox.enqueue('+447700900123', %s::jsonb, idempotency_key => 'k')",
            ('{"kind": "text", "text": "hello"}',),
        )
        wrong(api.enqueue(headers={"Idempotency-Key": "k"}), 503, "unavailable")
        other.rollback()
    assert api.enqueue(headers={"Idempotency-Key": "k"}).status_code == 202


@pytest.mark.parametrize("rule", list(RULES))
def test_every_refusal_is_a_problem(rule: str) -> None:
    """With a title that holds for all of them, the rule's hint, and a status of the caller's."""
    error = refusal(rule, "the value")
    assert isinstance(error, Refused)
    found = refused(error)
    assert found.status in {404, 409, 422}
    assert "%s" not in found.title
    assert "value" not in found.title
    assert "the value" in found.detail
    assert found.hint == RULES[rule].hint


def test_a_rule_is_one_thing() -> None:
    """Those of HTTP have no name of the outbox's."""
    assert not KINDS.keys() & RULES.keys()


# health


def test_the_process_is_alive_without_its_database(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/healthz asks nobody; /readyz says what is missing. Neither asks for a token."""
    assert api.ask("GET", "/readyz", scope=None).json() == {"status": "ready", "revision": "0001"}

    def lost(_: object) -> None:
        raise psycopg.OperationalError("gone\nfor good")

    monkeypatch.setattr(schema, "revision", lost)
    answer = api.ask("GET", "/healthz", scope=None)
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    found = wrong(api.ask("GET", "/readyz", scope=None), 503, "not_ready")
    assert found["detail"] == "The database cannot be reached: gone"


@pytest.mark.parametrize(("revision", "ready"), [(None, False), ("0000", False), ("0002", True)])
def test_the_schema_has_to_be_known(
    api: Api, monkeypatch: pytest.MonkeyPatch, revision: str | None, *, ready: bool
) -> None:
    """One that is missing or older is not ready; one that is newer is served."""
    monkeypatch.setattr(schema, "revision", lambda _: revision)
    monkeypatch.setattr(schema, "known", lambda: ["0000", "0001"])
    answer = api.ask("GET", "/readyz", scope=None)
    if ready:
        assert answer.json()["revision"] == revision
    else:
        assert "0001 is needed" in wrong(answer, 503, "not_ready")["detail"]


def test_the_log_has_routes_and_no_numbers(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query may hold a number, so it is left out; the token is named."""
    log = Mock()
    monkeypatch.setattr(access, "_log", log)
    api.ask("GET", "/v1/notifications", params={"to": "+447700900123"}, scope="read")
    api.enqueue(HELLO, scope="read")
    told = [call.kwargs for call in log.info.call_args_list]
    assert [(one["method"], one["route"], one["status"], one["token"]) for one in told] == [
        ("GET", "/v1/notifications", 200, "read"),
        ("POST", "/v1/notifications", 403, "read"),
    ]
    assert "447700900123" not in str(told)
