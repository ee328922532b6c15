"""Pairing and unpairing: what becomes of the log, the login, the queue and the account's owner.

The tests play the phone, and WhatsApp; the library that is linked is neonize's own.
"""

import re
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from outbox.delivery import pairing
from outbox.delivery.pairing import NotNowError, Whoever
from outbox.log.login import login_of
from outbox.log.pool import open_pool
from outbox.log.store import WhatsmeowStore
from outbox.session.linking import LinkingError, NobodyScannedError, Shown
from outbox.session.whatsapp import linking
from outbox.session.whatsapp.linking import WhatsappLinking
from tests.cli_runner import Session, enqueue
from tests.web_api import made
from tests.whatsapp.account import Account
from tests.whatsapp.linked import linking_server
from tests.whatsapp.listener import Listener
from tests.whatsapp.processes import session_processes
from tests.whatsapp.server import WhatsApp
from tests.whatsapp.worker import running_worker

WHO = Whoever({"host": "here", "process": 7, "release": "1"}, {"token": "ann"})
_PATIENCE = 30.0
_numbers = count(31_640_000_001)


@pytest.fixture
def jid() -> str:
    """A device of an account that no other test has."""
    return f"{next(_numbers)}:5@s.whatsapp.net"


@pytest.fixture
def whatsapp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WhatsApp]:
    """A server, which the processes that link take for WhatsApp."""
    with linking_server(tmp_path, monkeypatch) as server:
        yield server


@pytest.fixture
def other_side(whatsapp: WhatsApp, jid: str) -> Account:
    """WhatsApp's side of the account."""
    return whatsapp.account(jid)


@pytest.fixture
def store(database_url: str) -> WhatsmeowStore:
    """Where logins are."""
    return WhatsmeowStore(database_url)


class Operator:
    """Whoever pairs and unpairs account `main`, and holds the phone."""

    def __init__(
        self, connection: psycopg.Connection, store: WhatsmeowStore, whatsapp: WhatsApp, jid: str
    ) -> None:
        self.shown: list[Shown] = []
        self._connection = connection
        self._linking = WhatsappLinking(store)
        self._whatsapp = whatsapp
        self._jid = jid

    def pair(
        self, show: Callable[[Shown], None] | None = None, *, number: str | None = None
    ) -> str:
        """Pair it; by a phone that uses the first code unless something else is done with it."""
        return pairing.pair(self._connection, self._linking, "main", WHO, show or self._use, number)

    def unpair(self, *, tell: bool = True) -> None:
        """Unpair it."""
        pairing.unpair(self._connection, self._linking, "main", WHO, tell=tell)

    def _use(self, shown: Shown) -> None:
        self.shown.append(shown)
        if len(self.shown) == 1:
            use = {"qr": self._whatsapp.phone.scan, "code": self._whatsapp.phone.enter}
            use[shown.kind](shown.text, self._jid)


@pytest.fixture
def operator(
    connection: psycopg.Connection, store: WhatsmeowStore, whatsapp: WhatsApp, jid: str
) -> Operator:
    """Somebody who pairs and unpairs."""
    return Operator(connection, store, whatsapp, jid)


def _events(connection: psycopg.Connection) -> list[str]:
    return [
        type_ for (type_,) in connection.execute("select type from outbox.event order by position")
    ]


def _state(connection: psycopg.Connection) -> str | None:
    row = connection.execute(
        "select state from outbox.connection where account = 'main'"
    ).fetchone()
    return row[0] if row else None


def _is_free(connection: psycopg.Connection) -> bool:
    row = connection.execute("select owner is null from outbox.lease").fetchone()
    return row is None or bool(row[0])


def _devices(connection: psycopg.Connection) -> list[str]:
    return [jid for (jid,) in connection.execute("select jid from whatsapp.whatsmeow_device")]


def _holds_no_number(connection: psycopg.Connection, jid: str) -> bool:
    number = jid.partition(":")[0]
    log = "\n".join(
        line for (line,) in connection.execute("select event::text from outbox.event event")
    )
    assert log
    return number not in log and not re.search(r"\d{4,}@", log)


def _until(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_qr_code(
    connection: psycopg.Connection,
    store: WhatsmeowStore,
    operator: Operator,
    other_side: Account,
    jid: str,
) -> None:
    """A scanned code pairs the account: its login is kept, and the log knows no number."""
    assert store.device("main") is None
    assert operator.pair() == jid
    assert operator.shown[0].kind == "qr"
    assert login_of(connection, "main") == jid
    assert _devices(connection) == [jid]
    device = store.device("main")
    assert device is not None
    assert device.jid == jid
    assert _events(connection) == [
        "lease_acquired",
        "pairing_offered",
        "paired",
        "lease_released",
    ]
    assert _holds_no_number(connection, jid)
    assert _is_free(connection)
    assert not session_processes()
    other_side.wait_gone()


def test_typed_code(
    connection: psycopg.Connection, operator: Operator, jid: str, whatsapp: WhatsApp
) -> None:
    """A code that is typed into the phone does the same; it is shown once."""
    assert operator.pair(number=jid.partition(":")[0]) == jid
    [shown] = operator.shown
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", shown.text)
    assert login_of(connection, "main") == jid
    assert "paired" in _events(connection)
    assert _holds_no_number(connection, jid)


def test_over_http(
    connection: psycopg.Connection,
    database_url: str,
    store: WhatsmeowStore,
    whatsapp: WhatsApp,
    jid: str,
) -> None:
    """The web process links with WhatsApp as the command line does, ends when told to, unpairs."""
    path = "/v1/accounts/main/pairing"
    with open_pool(database_url, "web test") as pool:
        api = made(pool, connection, linking=WhatsappLinking(store))

        def shown() -> dict[str, str]:
            api.ask("POST", path)
            _until(lambda: api.ask("GET", path).json()["code"], "a code is shown")
            found: dict[str, str] = api.ask("GET", path).json()
            return found

        assert shown()["kind"] == "qr"
        assert api.ask("DELETE", path).json()["standing"] == "stopped"
        assert not session_processes()
        whatsapp.phone.scan(shown()["code"], jid)
        _until(lambda: api.ask("GET", path).json()["standing"] == "paired", "it is paired")
        assert _devices(connection) == [jid]
        assert api.ask("POST", "/v1/accounts/main/unpair").json()["jid"] is None
    assert _devices(connection) == []
    assert whatsapp.account(jid).unlinked() == [jid]
    assert _is_free(connection)


def test_paired_sends(
    store: WhatsmeowStore, operator: Operator, other_side: Account, whatsapp: WhatsApp
) -> None:
    """What was paired is a login with which a session connects and sends, again and again."""
    operator.pair()
    listener = Listener(store)
    for nth in (1, 2):
        listener.connect()
        assert listener.outcome(listener.send()).type == "sent"
        other_side.drop()
        listener.transition("disconnected", nth)
    listener.close()
    assert len(other_side.received()) == 2


def test_lease_is_held_as_long_as_a_code(
    connection: psycopg.Connection, store: WhatsmeowStore, operator: Operator, jid: str
) -> None:
    """Nobody gets the account while its code can be used: its lease is renewed while one waits."""
    shown: list[Shown] = []
    until: list[object] = []

    def wait() -> None:
        row = connection.execute("select until from outbox.lease").fetchone()
        assert row
        until.append(row[0])
        if shown and not operator.shown:
            operator._use(shown[0])

    number = jid.partition(":")[0]
    linking = WhatsappLinking(store)
    assert pairing.pair(connection, linking, "main", WHO, shown.append, number, wait) == jid
    assert len(shown) == 1
    assert len(set(until)) == len(until) > 1


def test_nobody_pairs_beside(connection: psycopg.Connection, operator: Operator) -> None:
    """Who pairs keeps the account, also from another who would pair or unpair it."""
    refused: list[str] = []

    def show(shown: Shown) -> None:
        if not refused:
            with pytest.raises(NotNowError, match="pairing or unpairing account main") as error:
                operator.pair()
            refused.append(error.value.rule)
        operator._use(shown)

    operator.pair(show)
    assert refused == ["being_paired"]
    assert _events(connection).count("lease_acquired") == 1


def test_log_says_who_it_was(connection: psycopg.Connection, operator: Operator) -> None:
    """Every event of pairing and unpairing bears the name of whoever asked for it."""
    operator.pair()
    operator.unpair()
    named = connection.execute(
        "select distinct type from outbox.event where metadata->>'token' = 'ann'"
    ).fetchall()
    assert {type_ for (type_,) in named} == {*_events(connection)} - {"lease_released"}


def test_worker_waits_for_it(
    connection: psycopg.Connection,
    database_url: str,
    operator: Operator,
    other_side: Account,
    whatsapp: WhatsApp,
    tmp_path: Path,
) -> None:
    """A worker that runs without a login is fenced by pairing, then connects and sends."""
    folder = tmp_path / "disk"
    folder.mkdir()
    enqueue(connection)
    with running_worker(database_url, "main", whatsapp.environment, folder):
        _until(lambda: _state(connection) == "logged_out", "the worker finds no login")
        operator.pair()
        other_side.wait_logins(2)  # that of pairing comes first
        other_side.wait_received(1)
        _until(lambda: _state(connection) == "connected", "the worker is connected")
    events = _events(connection)
    assert events.index("pairing_offered") < events.index("paired") < events.index("connected")
    assert other_side.unlinked() == []


def test_worker_gives_way(
    connection: psycopg.Connection,
    database_url: str,
    operator: Operator,
    other_side: Account,
    whatsapp: WhatsApp,
    tmp_path: Path,
    jid: str,
) -> None:
    """A worker that has the account connected gives it up to be unpaired, and doubles nothing."""
    folder = tmp_path / "disk"
    folder.mkdir()
    operator.pair()
    enqueue(connection)
    with running_worker(database_url, "main", whatsapp.environment, folder):
        other_side.wait_received(1)
        operator.unpair()
        _until(lambda: not _is_free(connection), "the worker has the account back")
        assert _state(connection) == "logged_out"
    assert other_side.unlinked() == [jid]
    assert len(other_side.received()) == 1
    row = connection.execute("select state from outbox.notification").fetchone()
    assert row == ("sent",)
    events = [type_ for type_ in _events(connection) if type_ not in {"attempt_started", "sent"}]
    story = events[events.index("connected") :]
    assert story[:5] == [
        "connected",
        "lease_released",
        "lease_acquired",
        "logged_out",
        "lease_released",
    ]
    assert "replaced" not in events


def test_paired_already(
    connection: psycopg.Connection, operator: Operator, jid: str, whatsapp: WhatsApp
) -> None:
    """To pair a paired account is refused, and changes nothing."""
    operator.pair()
    before = _events(connection)
    with pytest.raises(NotNowError, match="outbox unpair main"):
        operator.pair()
    assert _events(connection) == before
    assert _devices(connection) == [jid]
    assert whatsapp.phone.refs == []


@pytest.mark.parametrize("state", ["connecting", "connected"])
def test_connected(
    connection: psycopg.Connection, operator: Operator, whatsapp: WhatsApp, state: str
) -> None:
    """To pair is refused while a worker has the account connected, or connects it."""
    worker = Session(connection)
    worker.transition("connecting")
    if state == "connected":
        worker.transition("connected")
    with pytest.raises(NotNowError, match="stop that worker first"):
        operator.pair()
    assert _state(connection) == state
    assert whatsapp.phone.refs == []


def test_unpair(
    connection: psycopg.Connection,
    store: WhatsmeowStore,
    operator: Operator,
    other_side: Account,
    jid: str,
) -> None:
    """WhatsApp is told, the device is gone with all its keys, and the queue is kept."""
    operator.pair()
    queued = [enqueue(connection), enqueue(connection)]
    operator.unpair()
    assert other_side.unlinked() == [jid]
    assert _devices(connection) == []
    assert store.device("main") is None
    assert login_of(connection, "main") is None
    assert _state(connection) == "logged_out"
    assert _is_free(connection)
    assert _holds_no_number(connection, jid)
    assert not session_processes()
    rows = connection.execute("select id from outbox.notification where state = 'pending'")
    assert {id_ for (id_,) in rows} == set(queued)


def test_unpair_and_pair_again(operator: Operator, other_side: Account, jid: str) -> None:
    """An account that was unpaired can be paired anew."""
    operator.pair()
    operator.unpair()
    operator.shown.clear()
    assert operator.pair() == jid
    assert other_side.unlinked() == [jid]


def test_forget(
    connection: psycopg.Connection, store: WhatsmeowStore, operator: Operator, other_side: Account
) -> None:
    """Without telling WhatsApp the device is gone here, also while WhatsApp is away."""
    operator.pair()
    logins = other_side.logins()
    other_side.offline()
    operator.unpair(tell=False)
    assert other_side.unlinked() == []
    assert other_side.logins() == logins
    assert _devices(connection) == []
    assert store.device("main") is None
    assert login_of(connection, "main") is None
    assert _state(connection) == "logged_out"


def test_unpair_what_is_not_paired(
    connection: psycopg.Connection, operator: Operator, whatsapp: WhatsApp
) -> None:
    """It is refused, and the log does not know of it."""
    with pytest.raises(NotNowError, match="outbox pair main"):
        operator.unpair()
    assert _events(connection) == []


def test_unpair_what_the_phone_has_unlinked(
    connection: psycopg.Connection, operator: Operator, other_side: Account
) -> None:
    """Who is unlinked already hears so from WhatsApp, and is unpaired."""
    operator.pair()
    other_side.log_out()
    operator.unpair()
    assert _devices(connection) == []
    assert login_of(connection, "main") is None
    assert _state(connection) == "logged_out"


def test_unpair_without_whatsapp(
    connection: psycopg.Connection, operator: Operator, other_side: Account, jid: str
) -> None:
    """If WhatsApp cannot be told the account stays paired, and nobody's."""
    operator.pair()
    other_side.offline()
    with pytest.raises(LinkingError, match="failed to dial"):
        operator.unpair()
    assert login_of(connection, "main") == jid
    assert _devices(connection) == [jid]
    assert _is_free(connection)
    assert not session_processes()


def test_nobody_scans(
    connection: psycopg.Connection,
    store: WhatsmeowStore,
    operator: Operator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When time is up nothing is paired, nothing runs, and the account is nobody's."""
    monkeypatch.setattr(linking, "PAIR_SECONDS", 5.0)
    shown: list[Shown] = []
    with pytest.raises(NobodyScannedError, match="nobody has used a code in time"):
        operator.pair(shown.append)
    assert shown
    assert _events(connection) == ["lease_acquired", "pairing_offered", "lease_released"]
    assert store.device("main") is None
    assert login_of(connection, "main") is None
    assert _is_free(connection)
    assert not session_processes()


def test_interrupted(connection: psycopg.Connection, operator: Operator) -> None:
    """Who gives up gives the account back."""

    def interrupt(_: Shown) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        operator.pair(interrupt)
    assert _is_free(connection)
    assert login_of(connection, "main") is None
    _until(lambda: not session_processes(), "the process is gone")


def test_whatsapp_is_away(
    connection: psycopg.Connection, operator: Operator, other_side: Account
) -> None:
    """Without WhatsApp there is no code, and the log knows of none."""
    other_side.offline()
    with pytest.raises(LinkingError, match="failed to dial"):
        operator.pair()
    assert _events(connection) == ["lease_acquired", "lease_released"]
    assert _is_free(connection)


def test_phone_that_does_not_know_the_secret(
    connection: psycopg.Connection,
    operator: Operator,
    whatsapp: WhatsApp,
    jid: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever has not seen the code cannot link: the device verifies what the phone says."""
    monkeypatch.setattr(linking, "PAIR_SECONDS", 6.0)  # the library does not say that it refused
    seen: list[Shown] = []

    def forge(shown: Shown) -> None:
        seen.append(shown)
        if len(seen) == 1:
            start, noise_key, identity, _secret, *rest = shown.text.split(",")
            forged = ",".join([start, noise_key, identity, identity, *rest])
            with pytest.raises(RuntimeError, match="hmac-mismatch"):
                whatsapp.phone.scan(forged, jid)

    with pytest.raises(LinkingError):
        operator.pair(forge)
    assert seen
    assert login_of(connection, "main") is None
    assert "paired" not in _events(connection)
    assert _is_free(connection)
