"""POST /v1/notifications and /v1/media: what is taken, what is refused, what is waited for."""

import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from threading import Thread
from typing import Any
from uuid import UUID

import psycopg
import pytest

from outbox.web import enqueueing
from outbox.web.service import UPLOADS, WAITERS
from tests.cli_runner import Session
from tests.web_api import HELLO, TO, Api, wrong


def _count(connection: psycopg.Connection) -> int:
    row = connection.execute("select count(*) from outbox.notification").fetchone()
    assert row
    return int(row[0])


def _metadata(connection: psycopg.Connection) -> list[dict[str, Any]]:
    rows = connection.execute(
        "select metadata from outbox.event where type = 'enqueued' order by position"
    )
    return [row[0] for row in rows]


def test_a_text_is_accepted_at_once(api: Api, connection: psycopg.Connection) -> None:
    """202 says the id, and where its state is to be seen."""
    answer = api.enqueue(scope="enqueue")
    assert answer.status_code == 202
    id_ = UUID(answer.json()["id"])
    assert answer.json() == {"id": str(id_), "url": f"/v1/notifications/{id_}"}
    assert answer.headers["location"] == f"/v1/notifications/{id_}"
    assert answer.headers["cache-control"] == "no-store"
    row = connection.execute(
        "select body from outbox.notification n join outbox.content c on c.digest = n.content"
        " where id = %s",
        (id_,),
    ).fetchone()
    assert row == ({"kind": "text", "text": "hello"},)


def test_the_log_names_the_token(api: Api, connection: psycopg.Connection) -> None:
    """Beside the caller's own metadata, in a list as well."""
    api.enqueue(HELLO | {"metadata": {"order": 7}}, scope="enqueue")
    api.enqueue([HELLO, HELLO | {"metadata": None}], scope="admin")
    assert _metadata(connection) == [
        {"order": 7, "token": "enqueue"},
        {"token": "admin"},
        {"token": "admin"},
    ]


def test_the_name_of_the_token_cannot_be_feigned(api: Api, connection: psycopg.Connection) -> None:
    """A caller's own `token` is refused, not overwritten in silence."""
    found = wrong(api.enqueue(HELLO | {"metadata": {"token": "x"}}), 422, "bad_metadata")
    assert found["field"] == "metadata"
    assert _count(connection) == 0


def test_every_option_arrives(api: Api, connection: psycopg.Connection) -> None:
    """The members are the parameters of the SQL function; the account is a parameter."""
    at = datetime.now(UTC) + timedelta(hours=1)
    given = HELLO | {"idempotency_key": "k", "priority": 5, "send_at": at.isoformat()}
    given |= {"expires_in": "2 hours", "max_attempts": 3, "on_unknown": "hold"}
    given |= {"retry_after": "5s", "retry_limit": "1 min"}
    assert api.enqueue(given, params={"account": "second"}).status_code == 202
    row = connection.execute(
        "select account, priority, due_at, expires_at - due_at, max_attempts, on_unknown,"
        " extract(epoch from retry_after)::int, extract(epoch from retry_limit)::int"
        " from outbox.notification"
    ).fetchone()
    assert row == ("second", 5, at, timedelta(hours=2), 3, "hold", 5, 60)


def test_any_content_is_taken(api: Api, connection: psycopg.Connection) -> None:
    """Not texts alone."""
    place = {"kind": "location", "latitude": 52.1, "longitude": 5.2}
    assert api.enqueue({"recipient": TO, "content": place}).status_code == 202
    row = connection.execute("select body from outbox.content").fetchone()
    assert row == (place,)


def test_a_key_in_the_header_makes_repeating_safe(api: Api, connection: psycopg.Connection) -> None:
    """The same key gives the same id again; for something else it is a conflict."""
    key = {"Idempotency-Key": "order 7"}
    first, again = (api.enqueue(headers=key).json() for _ in range(2))
    assert first == again
    assert api.enqueue(HELLO | {"idempotency_key": "order 7"}).json() == first
    found = wrong(api.enqueue(HELLO | {"text": "other"}, headers=key), 409, "idempotency_conflict")
    assert "order 7" in found["detail"]
    assert found["field"] == "idempotency_key"
    assert _count(connection) == 1


def test_two_keys_are_one_too_many(api: Api) -> None:
    """Which of them holds would be a guess."""
    key = {"Idempotency-Key": "one"}
    wrong(api.enqueue(HELLO | {"idempotency_key": "two"}, headers=key), 422, "bad_idempotency_key")
    assert api.enqueue(HELLO | {"idempotency_key": "one"}, headers=key).status_code == 202


def test_a_list_is_accepted_in_its_order(api: Api, connection: psycopg.Connection) -> None:
    """As many ids as notifications, a thousand at most."""
    answer = api.enqueue([HELLO | {"text": f"{n}"} for n in range(1000)])
    assert answer.status_code == 202
    assert "location" not in answer.headers
    ids = [UUID(one["id"]) for one in answer.json()["notifications"]]
    rows = connection.execute("select id from outbox.notification order by position").fetchall()
    assert ids == [row[0] for row in rows]


@pytest.mark.parametrize("number", [0, 1001])
def test_a_list_has_1_to_1000(api: Api, number: int) -> None:
    """More would hold one transaction open for too long."""
    answer = api.ask("POST", "/v1/notifications", json=[HELLO] * number)
    found = wrong(answer, 422, "bad_batch")
    assert found["detail"] == f"Not a batch: {number} notifications"


@pytest.mark.parametrize(
    ("bad", "rule", "field"),
    [
        ({"recipient": "07700 900123"}, "bad_recipient", "recipient"),
        ({"text": ""}, "empty_text", "content"),
        ({"priority": "high"}, "bad_priority", "priority"),
        ({"send_at": "2030-01-01T10:00:00"}, "bad_send_at", "send_at"),
    ],
)
def test_all_of_a_list_or_none(
    api: Api, connection: psycopg.Connection, bad: dict[str, Any], rule: str, field: str
) -> None:
    """The problem says which one breaks a rule, whether Python or the database finds it."""
    found = wrong(api.enqueue([HELLO, HELLO, HELLO | bad]), 422, rule)
    assert (found["number"], found["field"]) == (3, field)
    assert "of the batch" not in found["detail"]
    assert _count(connection) == 0


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        ({"recipient": "+10000000000000"}, "bad_recipient"),
        ({"recipient": None}, "bad_recipient"),
        ({"recipient": 447700900123}, "bad_recipient"),
        ({"text": None}, "body_not_object"),
        ({"text": 5}, "wrong_type"),
        ({"text": "a\0b"}, "nul_character"),
        ({"text": "a\ud800b"}, "unpaired_surrogate"),
        ({"text": "x" * 65537}, "text_too_long"),
        ({"content": {"kind": "text", "text": "hello"}}, "unknown_field"),
        ({"text": None, "content": {"kind": "letter"}}, "unknown_kind"),
        ({"text": None, "content": {"kind": "image", "media": "0" * 64}}, "unknown_media"),
        ({"idempotency_key": 5}, "bad_idempotency_key"),
        ({"idempotency_key": ""}, "bad_idempotency_key"),
        ({"priority": 1.5}, "bad_priority"),
        ({"expires_in": "soon"}, "bad_expires_in"),
        ({"expires_in": "-1 hour"}, "expiry_in_past"),
        ({"max_attempts": 0}, "bad_max_attempts"),
        ({"on_unknown": "ask"}, "bad_on_unknown"),
        ({"retry_after": "2 hours", "retry_limit": "1 hour"}, "bad_retry"),
        ({"metadata": [1]}, "bad_metadata"),
        ({"colour": "red"}, "unknown_option"),
    ],
)
def test_a_broken_rule_is_the_outboxs_own(
    api: Api, connection: psycopg.Connection, bad: dict[str, Any], rule: str
) -> None:
    """Rule, sentence and hint are those of every way in, and nothing is accepted."""
    found = wrong(api.enqueue(HELLO | bad), 422, rule)
    assert "number" not in found
    assert _count(connection) == 0


@pytest.mark.parametrize("given", [5, "hello", None, True, {}, [5]])
def test_what_is_no_notification_is_refused(api: Api, given: object) -> None:
    """Whatever JSON it is."""
    answer = api.ask("POST", "/v1/notifications", json=given)
    assert answer.status_code == 422
    assert answer.json()["rule"] in {"bad_batch", "bad_recipient"}


def test_no_account_of_such_a_name(api: Api) -> None:
    """It is a parameter of the query, not of a list's first item."""
    found = wrong(api.enqueue([HELLO], params={"account": "Main"}), 422, "bad_account")
    assert (found["field"], found.get("number")) == ("account", None)


# waiting


def test_whoever_waits_is_told_the_outcome(api: Api, connection: psycopg.Connection) -> None:
    """200 once it is sent, as soon as it is."""
    session = Session(connection)

    def send() -> None:
        while not _count(connection):
            time.sleep(0.01)
        row = connection.execute("select id from outbox.notification").fetchone()
        assert row
        session.end("sent", row[0])

    sender = Thread(target=send)
    api.token("enqueue")  # the connection is the sender's from here on
    sender.start()
    begun = time.monotonic()
    answer = api.enqueue(scope="enqueue", params={"wait": 20})
    sender.join()
    assert answer.status_code == 200
    assert time.monotonic() - begun < 10
    assert answer.json()["state"] == "sent"
    assert answer.json()["message_id"].startswith("3EB0")
    assert answer.headers["location"] == answer.json()["url"]


def test_whoever_waits_in_vain_is_told_so(api: Api) -> None:
    """202: it stays accepted, and its state when last seen is said."""
    begun = time.monotonic()
    answer = api.enqueue(params={"wait": 0.2})
    assert answer.status_code == 202
    assert 0.2 <= time.monotonic() - begun < 5
    assert (answer.json()["state"], answer.json()["message_id"]) == ("pending", None)


def test_what_has_ended_is_an_outcome(api: Api, connection: psycopg.Connection) -> None:
    """200 without success, with the last error: it was accepted, by an earlier request."""
    key = {"Idempotency-Key": "k"}
    id_ = UUID(api.enqueue(headers=key).json()["id"])
    Session(connection).end("rejected", id_, error="error 400")
    answer = api.enqueue(headers=key, params={"wait": 20})
    assert answer.status_code == 200
    assert answer.json()["state"] == "rejected"
    assert answer.json()["last_error"] == "error 400"


@pytest.mark.parametrize("wait", ["-1", "25.1", "nan", "inf", "soon"])
def test_a_wait_has_its_limits(api: Api, connection: psycopg.Connection, wait: str) -> None:
    """Heroku's router gives up after thirty seconds."""
    found = wrong(api.enqueue(params={"wait": wait}), 422, "bad_parameter")
    assert found["field"] == "wait"
    assert wait in found["detail"]
    assert _count(connection) == 0


@pytest.mark.parametrize(
    "more", [{"params": {"wait": 1}}, {"headers": {"Idempotency-Key": "k"}}], ids=["wait", "key"]
)
def test_a_list_is_not_waited_for(
    api: Api, connection: psycopg.Connection, more: dict[str, Any]
) -> None:
    """Nor has it a key: those are for one notification, and nothing is dropped silently."""
    wrong(api.enqueue([HELLO], **more), 422, "bad_parameter")
    assert _count(connection) == 0


def test_not_everybody_can_wait(api: Api) -> None:
    """Beyond the places that there are one is answered at once, for threads are not endless."""
    for _ in range(WAITERS):
        assert api.service.waiters.acquire(blocking=False)
    begun = time.monotonic()
    assert api.enqueue(params={"wait": 20}).json()["state"] == "pending"
    assert time.monotonic() - begun < 5


def test_a_process_that_stops_waits_no_longer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits is told the state of that moment."""
    monkeypatch.setattr(enqueueing, "_SLICE", 0.05)
    api.service.closing.set()
    begun = time.monotonic()
    assert api.enqueue(params={"wait": 20}).status_code == 202
    assert time.monotonic() - begun < 5


def test_a_database_lost_while_waiting_is_no_error(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is accepted by then: an error would make the caller enqueue it again."""

    def lost(*_: object) -> None:
        raise psycopg.OperationalError("gone")

    monkeypatch.setattr(enqueueing, "wait_for", lost)
    answer = api.enqueue(params={"wait": 20})
    assert (answer.status_code, answer.json()["state"]) == (202, "pending")


# media


def test_media_are_kept_and_named_by_their_digest(api: Api, connection: psycopg.Connection) -> None:
    """Once however often; an image can then be sent by the digest."""
    data = b"\x89PNG" + bytes(1000)
    digest = sha256(data).hexdigest()
    for _ in range(2):
        answer = api.ask(
            "POST",
            "/v1/media",
            scope="enqueue",
            content=data,
            headers={"Content-Type": "image/png"},
        )
        assert answer.status_code == 201
        assert answer.json() == {"digest": digest, "mime": "image/png", "size": 1004}
    row = connection.execute("select count(*), min(mime) from outbox.media").fetchone()
    assert row == (1, "image/png")
    image = {"recipient": TO, "content": {"kind": "image", "media": digest}}
    assert api.enqueue(image).status_code == 202


def test_parameters_of_a_type_are_left_out(api: Api) -> None:
    """As in “audio/ogg; codecs=opus”: the type is what the outbox knows."""
    answer = api.ask(
        "POST", "/v1/media", content=b"x", headers={"Content-Type": "Audio/Ogg; codecs=opus"}
    )
    assert answer.json()["mime"] == "audio/ogg"


@pytest.mark.parametrize(
    ("content", "type_", "status", "rule"),
    [
        (b"", "image/png", 422, "empty_media"),
        (b"x", "picture", 415, "bad_mime"),
        (b"x", "", 415, "bad_content_type"),
        (b"x", "multipart/form-data; boundary=x", 415, "bad_content_type"),
        (b"x", "application/x-www-form-urlencoded", 415, "bad_content_type"),
    ],
)
def test_unusable_media_are_refused(
    api: Api, content: bytes, type_: str, status: int, rule: str
) -> None:
    """Also what `curl -d` or `-F` makes of a file by mistake."""
    headers = {"Content-Type": type_}
    wrong(api.ask("POST", "/v1/media", content=content, headers=headers), status, rule)


def test_media_have_their_limit(api: Api) -> None:
    """That of the largest kind: refused by the length that is announced, before it is read."""
    row = api.connection.execute("select outbox.media_limit('document')").fetchone()
    assert row == (64 * 1024 * 1024,)
    headers = {"Content-Type": "image/png", "Content-Length": str(row[0] + 1)}
    answer = api.ask("POST", "/v1/media", content=b"x", headers=headers)
    assert str(row[0]) in wrong(answer, 413, "body_too_large")["hint"]


def test_not_everybody_uploads_at_once(api: Api) -> None:
    """Each is in memory as a whole."""
    for _ in range(UPLOADS):
        assert api.service.uploads.acquire(blocking=False)
    answer = api.ask("POST", "/v1/media", content=b"x", headers={"Content-Type": "image/png"})
    wrong(answer, 503, "too_many_uploads")
    assert answer.headers["retry-after"] == "1"
