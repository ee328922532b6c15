"""Recipients and their retry counters, in the log and over HTTP."""

import psycopg

from tests.cli_runner import Session, enqueue
from tests.web_api import Api, wrong


def _story(connection: psycopg.Connection) -> None:
    """One is reached, one fails and waits for a retry, one is only queued."""
    session = Session(connection)
    session.end("sent", enqueue(connection, "+447700900101"))
    session.end("failed", enqueue(connection, "+447700900102"), error="error 503")
    enqueue(connection, "+447700900103")


def test_counters_are_listed(api: Api, connection: psycopg.Connection) -> None:
    """Of everybody to whom something was tried; who waits for a retry can be asked for alone."""
    _story(connection)
    found = api.ask("GET", "/v1/recipients", scope="read").json()["recipients"]
    counters = {one["jid"]: (one["failures"], one["failed_attempts"]) for one in found}
    assert counters == {
        "447700900101@s.whatsapp.net": (0, 0),
        "447700900102@s.whatsapp.net": (1, 1),
    }
    (failing,) = api.ask("GET", "/v1/recipients", params={"failing": True}).json()["recipients"]
    assert failing["jid"] == "447700900102@s.whatsapp.net"
    assert failing["last_error"] == "error 503"
    assert failing["retry_at"]


def test_one_is_found_by_number(api: Api, connection: psycopg.Connection) -> None:
    """In any form that a number is written in; what is no number is refused."""
    _story(connection)
    (one,) = api.ask("GET", "/v1/recipients", params={"to": "+44 7700 900101"}).json()["recipients"]
    assert one["first_sent_at"]
    assert api.ask("GET", "/v1/recipients", params={"to": "+447700900199"}).json() == {
        "recipients": [],
        "next": None,
    }
    wrong(api.ask("GET", "/v1/recipients", params={"to": "nobody"}), 422, "bad_recipient")


def test_pages_follow_each_other(api: Api, connection: psycopg.Connection) -> None:
    """Every recipient of every account once, by following next."""
    for account in ("first", "second"):
        session = Session(connection, account)
        for number in range(3):
            one = enqueue(connection, f"+4477009001{number:02}", account=account)
            session.end("sent", one)
    seen = []
    path = "/v1/recipients?limit=2"
    while path:
        page = api.ask("GET", path, scope="read").json()
        assert len(page["recipients"]) <= 2
        seen += [(one["account"], one["jid"]) for one in page["recipients"]]
        path = page["next"]
    assert len(seen) == len(set(seen)) == 6
    found = wrong(api.ask("GET", "/v1/recipients", params={"after": "x"}), 422, "bad_parameter")
    assert found["field"] == "after"
