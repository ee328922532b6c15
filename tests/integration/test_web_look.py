"""GET /v1/notifications and /v1/accounts: what there is, and what befell one of them."""

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from outbox.log import notifications
from outbox.web.documents import State
from tests.cli_runner import Session, enqueue, run
from tests.web_api import Api, wrong


def _ids(api: Api, **params: object) -> list[UUID]:
    answer = api.ask("GET", "/v1/notifications", scope="read", params=params)
    assert answer.status_code == 200, answer.text
    return [UUID(one["id"]) for one in answer.json()["notifications"]]


def test_one_is_shown_with_its_timeline(api: Api, connection: psycopg.Connection) -> None:
    """As `outbox show --json` shows it, but for what only its sentences need."""
    id_ = UUID(api.enqueue(scope="enqueue").json()["id"])
    session = Session(connection)
    session.end("failed", id_, error="error 503")
    answer = api.ask("GET", f"/v1/notifications/{id_}", scope="read")
    assert answer.status_code == 200
    found = answer.json()
    assert found["state"] == "pending"
    assert found["jid"] == "447700900123@s.whatsapp.net"
    assert found["body"] == {"kind": "text", "text": "hello"}
    assert (found["attempts"], found["failures"], found["last_error"]) == (1, 1, "error 503")
    events = [(one["version"], one["type"]) for one in found["events"]]
    assert events == [(1, "enqueued"), (2, "attempt_started"), (3, "attempt_failed")]
    assert found["events"][0]["metadata"] == {"token": "enqueue"}


def test_what_is_not_there_is_not_found(api: Api) -> None:
    """404 with the id; what is no id is no value of the path."""
    unknown = uuid4()
    found = wrong(api.ask("GET", f"/v1/notifications/{unknown}"), 404, "unknown_notification")
    assert str(unknown) in found["detail"]
    found = wrong(api.ask("GET", "/v1/notifications/7"), 422, "bad_parameter")
    assert found["field"] == "id"


def test_the_list_is_narrowed(api: Api, connection: psycopg.Connection) -> None:
    """By the filters of `outbox list`, alone and together; the newest come first."""
    sent, dead = enqueue(connection), enqueue(connection, "+447700900124")
    second = enqueue(connection, account="second")
    session = Session(connection)
    session.end("sent", sent)
    session.end("rejected", dead)
    assert _ids(api) == [second, dead, sent]
    assert _ids(api, state="sent") == [sent]
    assert _ids(api, state=["sent", "open"]) == [second, sent]
    assert _ids(api, state="dead") == [dead]
    assert _ids(api, account="second") == [second]
    assert _ids(api, to="+44 7700 900124") == [dead]
    assert _ids(api, to="447700900124@s.whatsapp.net", state="sent") == []
    assert _ids(api, kind="image") == []
    assert _ids(api, kind="text", limit=1) == [second]


def test_the_list_is_narrowed_by_time(api: Api, connection: psycopg.Connection) -> None:
    """Since is then or later, until is earlier; however far away either is."""
    first, second = enqueue(connection), enqueue(connection)
    row = connection.execute(
        "select enqueued_at from outbox.notification where id = %s", (second,)
    ).fetchone()
    assert row
    at = row[0].isoformat()
    assert _ids(api, since=at) == [second]
    assert _ids(api, until=at) == [first]
    far = {"since": "0001-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"}
    assert _ids(api, **far) == [second, first]
    assert _ids(api, since="9999-12-31T23:59:59Z") == []


def test_pages_are_followed_by_their_urls(api: Api, connection: psycopg.Connection) -> None:
    """Each names the next with the same filters; the last names none."""
    wanted = [enqueue(connection) for _ in range(5)]
    enqueue(connection, account="second")
    found: list[UUID] = []
    url: str | None = "/v1/notifications?account=main&limit=2&state=pending&state=sent"
    pages = 0
    while url:
        answer = api.ask("GET", url, scope="read").json()
        found += [UUID(one["id"]) for one in answer["notifications"]]
        url = answer["next"]
        pages += 1
    assert (found, pages) == (wanted[::-1], 3)


@pytest.mark.parametrize(
    ("params", "rule", "field"),
    [
        ({"state": "lost"}, "bad_parameter", "state"),
        ({"to": "07700"}, "bad_recipient", "to"),
        ({"since": "yesterday"}, "bad_parameter", "since"),
        ({"since": "2030-01-01T10:00:00"}, "bad_parameter", "since"),
        ({"after": "7"}, "bad_parameter", "after"),
        ({"limit": 0}, "bad_parameter", "limit"),
        ({"limit": 1001}, "bad_parameter", "limit"),
        ({"stat": "dead"}, "unknown_parameter", "stat"),
        ({"account": "a\0b"}, "unreadable", None),
    ],
)
def test_a_filter_that_cannot_be_is_refused(
    api: Api, params: dict[str, Any], rule: str, field: str | None
) -> None:
    """Also one that is misspelt, which would let everything through."""
    found = wrong(api.ask("GET", "/v1/notifications", params=params), 422, rule)
    assert found.get("field") == field


def test_the_states_are_the_logs() -> None:
    """The document's list of them is written out, and has to be the same."""
    assert set(State.__args__) == set(notifications.STATES)  # type: ignore[attr-defined]


def test_accounts_say_what_status_says(
    api: Api, database_url: str, connection: psycopg.Connection
) -> None:
    """Figure for figure, but for who the worker is."""
    id_ = enqueue(connection)
    enqueue(connection)
    enqueue(connection, account="second")
    session = Session(connection)
    session.transition("connected")
    session.end("rejected", id_)
    answer = api.ask("GET", "/v1/accounts", scope="read")
    assert answer.status_code == 200
    accounts = answer.json()["accounts"]
    status = run("status", "--json", url=database_url).json["accounts"]
    assert [one["account"] for one in accounts] == ["main", "second"]
    assert (accounts[0]["state"], accounts[0]["pending"]) == ("connected", 1)
    assert accounts[0]["dead"] == {"rejected": 1}
    times = ("changed_at", "connected_at", "oldest", "oldest_due_at", "last_sent_at", "next_due_at")
    for ours, theirs in zip(accounts, status, strict=True):
        assert ours.keys() == theirs.keys() - {"owner", "lease_until", "worker", "lacks_ffmpeg"}
        for name in ours.keys() - set(times):
            assert ours[name] == theirs[name], name
