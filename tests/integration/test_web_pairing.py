"""Pairing over HTTP, with a simulated phone in the tests' hand."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from outbox.log import lease
from outbox.log.login import login_of
from outbox.log.pool import open_pool
from outbox.session.phone import Control, Phone
from outbox.session.simulated_linking import SimulatedLinking
from outbox.web import pairings
from tests.cli_runner import Session
from tests.web_api import Api, made, wrong
from tests.web_pages import log_in

PAIRING = "/v1/accounts/main/pairing"
UNPAIR = "/v1/accounts/main/unpair"
_PATIENCE = 20.0


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    """A phone whose accounts have to be paired."""
    with Phone.start(tmp_path, unpaired=True) as phone:
        yield phone


@pytest.fixture
def handset(phone: Phone) -> Iterator[Control]:
    """In the test's hand."""
    with phone.control() as control:
        yield control


@pytest.fixture
def api(database_url: str, connection: psycopg.Connection, phone: Phone) -> Iterator[Api]:
    """The API of a process that pairs with this phone."""
    with open_pool(database_url, "web test") as pool:
        api = made(pool, connection, linking=SimulatedLinking(phone.url))
        yield api
        api.service.closing.set()
        api.service.pairings.join()


def _begin(api: Api, **body: object) -> dict[str, Any]:
    answer = api.ask("POST", PAIRING, json=body)
    assert answer.status_code == 202, answer.text
    return _of(answer)


def _of(answer: httpx2.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()
    return found


def _until(api: Api, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return where the pairing stands as soon as this holds."""
    deadline = time.monotonic() + _PATIENCE
    while not holds(found := _of(api.ask("GET", PAIRING))):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def _stands(standing: str) -> Callable[[dict[str, Any]], bool]:
    return lambda found: found["standing"] == standing


def _owner(connection: psycopg.Connection) -> object:
    row = connection.execute("select owner from outbox.lease").fetchone()
    return row and row[0]


def test_a_qr_code_pairs(api: Api, handset: Control, connection: psycopg.Connection) -> None:
    """It is shown as text and as a picture until somebody scans it; the log names the token."""
    assert _of(api.ask("GET", PAIRING))["standing"] == "none"
    begun = _begin(api)
    assert begun["account"] == "main"
    assert begun["standing"] in {"starting", "showing"}
    shown = _until(api, _stands("showing"))
    assert shown["kind"] == "qr"
    assert 60 < shown["seconds_left"] <= 130
    assert shown["jid"] is None
    picture = api.ask("GET", f"{PAIRING}/qr.svg")
    assert picture.status_code == 200
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "<path" in picture.text
    handset.scan(shown["code"])
    paired = _until(api, _stands("paired"))
    assert paired["jid"] == login_of(connection, "main")
    assert paired["code"] is None
    wrong(api.ask("GET", f"{PAIRING}/qr.svg"), 404, "no_code")
    assert _owner(connection) is None
    rows = connection.execute(
        "select type, metadata->>'token' from outbox.event order by position"
    ).fetchall()
    assert rows == [
        ("lease_acquired", "admin"),
        ("pairing_offered", "admin"),
        ("paired", "admin"),
        ("lease_released", None),
    ]


def test_the_code_is_for_who_may_pair(api: Api) -> None:
    """Whoever sees it could link the account with a phone of their own: nobody else is shown it."""
    _begin(api)
    code = _until(api, _stands("showing"))["code"]
    reader, admin = log_in(api, "read", "operate"), log_in(api, "admin")
    for path in ("/", "/accounts", "/accounts/main", "/connections"):
        shown = reader.get(path).text
        assert "qrline" not in shown
        assert code not in shown
    assert "qrline" in admin.get("/accounts/main").text


def test_a_typed_code_pairs(api: Api, handset: Control) -> None:
    """With the number of the phone, however it is written; there is no picture of it."""
    _begin(api, number="+44 7700 900555")
    shown = _until(api, _stands("showing"))
    assert shown["kind"] == "code"
    assert len(shown["code"]) == 9
    wrong(api.ask("GET", f"{PAIRING}/qr.svg"), 404, "no_code")
    handset.scan(shown["code"])
    assert _until(api, _stands("paired"))["jid"].startswith("447700900555:")


def test_the_code_changes(api: Api, handset: Control) -> None:
    """Whoever looks again sees the code of the moment, and at the end that time was up."""
    handset.behave(code=0.5)
    _begin(api)
    first = _until(api, _stands("showing"))["code"]
    _until(api, lambda found: found["code"] not in {None, first})
    late = _until(api, _stands("timed_out"))
    assert late["code"] is None
    assert late["seconds_left"] is None
    assert _begin(api)["standing"] in {"starting", "showing"}


def test_it_can_be_stopped(api: Api, handset: Control, connection: psycopg.Connection) -> None:
    """The account is nobody's again, the code is of no use; to stop what does not run is none."""
    _begin(api)
    code = _until(api, _stands("showing"))["code"]
    assert _owner(connection) is not None
    for _ in range(2):
        answer = api.ask("DELETE", PAIRING)
        assert answer.status_code == 200
        assert _of(answer)["standing"] == "stopped"
    assert _owner(connection) is None
    with pytest.raises(ValueError, match="nobody shows the code"):
        handset.scan(code)


def test_it_ends_with_the_process(api: Api, connection: psycopg.Connection) -> None:
    """A process that is told to stop gives the account back first."""
    _begin(api)
    _until(api, _stands("showing"))
    api.service.closing.set()
    api.service.pairings.join()
    assert _owner(connection) is None


def test_a_refusal_says_why(api: Api, handset: Control) -> None:
    """What WhatsApp says is said."""
    handset.stand("banned")
    _begin(api)
    assert _until(api, _stands("refused"))["reason"] == "402: temporarily banned"


def test_one_at_a_time(api: Api, connection: psycopg.Connection) -> None:
    """A second one is refused, and so is one while another process pairs; both say so."""
    _begin(api)
    wrong(api.ask("POST", PAIRING), 409, "being_paired")
    wrong(api.ask("POST", UNPAIR), 409, "not_paired")
    api.ask("DELETE", PAIRING)
    row = connection.execute(
        "select outbox.acquire_lease('main', gen_random_uuid(), '1 minute', '{}', true)"
    ).fetchone()
    assert row
    wrong(api.ask("POST", PAIRING), 409, "being_paired")
    assert _of(api.ask("GET", PAIRING))["standing"] == "elsewhere"
    lease.release(connection, "main", row[0])
    _begin(api)


def test_so_many_at_a_time(api: Api) -> None:
    """Each has a connection and perhaps a process, so a process has few."""
    for number in range(pairings.MOST):
        assert api.ask("POST", f"/v1/accounts/a{number}/pairing").status_code == 202
    wrong(api.ask("POST", PAIRING), 409, "too_many_pairings")


def test_a_connected_account_is_left_alone(api: Api, connection: psycopg.Connection) -> None:
    """While a worker has a connection neither is done, and the worker keeps the account."""
    worker = Session(connection)
    worker.transition("connected")
    found = wrong(api.ask("POST", PAIRING), 409, "account_connected")
    assert "stop that worker first" in found["detail"]
    worker.transition("logged_out")
    assert _begin(api)["standing"] in {"starting", "showing"}


def test_unpair(api: Api, handset: Control, connection: psycopg.Connection) -> None:
    """The phone is told and the login forgotten; the log says by whom; it can be paired anew."""
    for forget in ("false", "true"):
        _begin(api)
        handset.scan(_until(api, _stands("showing"))["code"])
        _until(api, _stands("paired"))
        wrong(api.ask("POST", PAIRING), 409, "paired_already")
        answer = api.ask("POST", UNPAIR, params={"forget": forget})
        assert answer.status_code == 200, answer.text
        assert _of(answer)["standing"] == "none"
        assert _of(answer)["jid"] is None
        assert login_of(connection, "main") is None
    wrong(api.ask("POST", UNPAIR), 409, "not_paired")
    rows = connection.execute(
        "select metadata->>'token' from outbox.event where type = 'logged_out'"
    ).fetchall()
    assert rows == [("admin",)] * 2


def test_without_its_phone(api: Api, phone: Phone) -> None:
    """What the phone's side does not do is no mistake of the outbox."""
    phone.close()
    assert _begin(api)["standing"] == "refused"
    assert "is away" in _of(api.ask("GET", PAIRING))["reason"]
    assert "is away" in wrong(api.ask("POST", UNPAIR), 502, "not_linked")["detail"]


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"number": "12"}, "bad_recipient"),
        ({"number": "120363000000000001@g.us"}, "bad_recipient"),
        ({"number": 447700900123}, "bad_parameter"),
        ({"phone": "+447700900123"}, "unknown_parameter"),
    ],
)
def test_no_number(api: Api, body: dict[str, object], rule: str) -> None:
    """What is no number of a phone is refused before anything is done."""
    wrong(api.ask("POST", PAIRING, json=body), 422, rule)
    assert _of(api.ask("GET", PAIRING))["standing"] == "none"


def test_no_account(api: Api) -> None:
    """A name that no account can have is refused."""
    wrong(api.ask("POST", "/v1/accounts/Main/pairing"), 422, "bad_account")


def test_nothing_to_pair_with(database_url: str, connection: psycopg.Connection) -> None:
    """Where there is no phone but the worker's own, it is said why."""
    with open_pool(database_url, "web test") as pool:
        api = made(pool, connection, linking="a phone of the worker's own")
        for path in (PAIRING, UNPAIR):
            found = wrong(api.ask("POST", path), 409, "no_pairing")
            assert found["detail"] == "a phone of the worker's own"
        assert _of(api.ask("GET", PAIRING))["standing"] == "none"
