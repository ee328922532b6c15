"""POST …/cancel and …/requeue: what an operator changes over HTTP."""

from uuid import UUID, uuid4

import psycopg
import pytest

from tests.cli_runner import Session, enqueue
from tests.web_api import Api, wrong


def _last(connection: psycopg.Connection, id_: UUID) -> tuple[object, ...]:
    row = connection.execute(
        "select type, data->>'reason', metadata from outbox.event where stream = %s"
        " order by version desc limit 1",
        (id_,),
    ).fetchone()
    assert row
    return tuple(row)


def test_what_is_pending_is_cancelled(api: Api, connection: psycopg.Connection) -> None:
    """The log keeps the reason and the token; twice is harmless, and no body is needed."""
    id_ = enqueue(connection)
    path = f"/v1/notifications/{id_}/cancel"
    answer = api.ask("POST", path, scope="operate", json={"reason": "moved"})
    assert answer.status_code == 200
    url = f"/v1/notifications/{id_}"
    assert answer.json() == {"id": str(id_), "url": url, "state": "cancelled"}
    assert _last(connection, id_) == ("cancelled", "moved", {"token": "operate"})
    assert api.ask("POST", path, scope="operate").status_code == 200
    assert _last(connection, id_)[1] == "moved"


def test_what_ended_without_success_is_requeued(api: Api, connection: psycopg.Connection) -> None:
    """With a time of its own to expire; the log keeps the reason and the token."""
    id_ = enqueue(connection)
    Session(connection).end("rejected", id_)
    answer = api.ask(
        "POST",
        f"/v1/notifications/{id_}/requeue",
        scope="operate",
        json={"reason": "fixed", "expires_in": "2 hours"},
    )
    assert (answer.status_code, answer.json()["state"]) == (200, "pending")
    assert _last(connection, id_) == ("requeued", "fixed", {"token": "operate"})
    row = connection.execute(
        "select round(extract(epoch from expires_at - changed_at)) from outbox.notification"
    ).fetchone()
    assert row == (7200,)


@pytest.mark.parametrize("what", ["cancel", "requeue"])
def test_what_was_sent_is_neither(api: Api, connection: psycopg.Connection, what: str) -> None:
    """409 with its state, and the way out."""
    id_ = enqueue(connection)
    Session(connection).end("sent", id_)
    answer = api.ask("POST", f"/v1/notifications/{id_}/{what}")
    found = wrong(answer, 409, f"cannot_{what}")
    assert found["detail"].endswith(f"{id_} is sent")


@pytest.mark.parametrize("what", ["cancel", "requeue"])
def test_what_is_not_there_is_not_found(api: Api, what: str) -> None:
    """404, as for reading it."""
    answer = api.ask("POST", f"/v1/notifications/{uuid4()}/{what}")
    wrong(answer, 404, "unknown_notification")


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"because": "x"}, "unknown_parameter"),
        ({"reason": 5}, "bad_parameter"),
        ({"reason": "x" * 1001}, "bad_parameter"),
        ({"reason": "a\0b"}, "nul_character"),
        ([], "bad_parameter"),
        ({"expires_in": "soon"}, "bad_expires_in"),
        ({"expires_in": "-1 hour"}, "expiry_in_past"),
        ({"expires_in": "200000000 years"}, "bad_expires_in"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(
    api: Api, connection: psycopg.Connection, given: object, rule: str
) -> None:
    """And changes nothing."""
    id_ = enqueue(connection)
    Session(connection).end("rejected", id_)
    wrong(api.ask("POST", f"/v1/notifications/{id_}/requeue", json=given), 422, rule)
    assert _last(connection, id_)[0] == "rejected"
