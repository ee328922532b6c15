"""whatsmeow's tables: how it finds them, which device is an account's, and the traces in them."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from urllib.parse import parse_qs, quote, unquote, urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from outbox.log.database import Connection, query
from outbox.log.login import record_login
from outbox.log.store import SCHEMA, WhatsmeowStore, whatsmeow_url
from outbox.session.port import attempt_secret
from tests.databases import PREFIX, database
from tests.whatsapp.device import create_store, pair_device
from tests.whatsapp.listener import PATIENCE, Listener
from tests.whatsapp.relay import relay
from tests.whatsapp.server import WhatsApp

_numbers = count(31_660_000_001)
PASSWORD = "p@ss w%rd:/?#&+='\"\\[ü]"  # noqa: S105 - a test's
ROLE = f"rôle @:/?% {secrets.token_hex(3)}"


@pytest.fixture
def jid() -> str:
    """A device of an account that no other test has."""
    return f"{next(_numbers)}:5@s.whatsapp.net"


@pytest.fixture
def whatsapp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WhatsApp]:
    """A server that sessions find."""
    with WhatsApp.start(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def store(database_url: str) -> WhatsmeowStore:
    """The store of a database without whatsmeow's tables."""
    return WhatsmeowStore(database_url)


@pytest.fixture
def tables(database_url: str) -> None:
    """Let there be whatsmeow's tables."""
    create_store(database_url, SCHEMA)


def _pair(connection: psycopg.Connection, account: str, jid: str) -> None:
    pair_device(connection, SCHEMA, jid)
    record_login(connection, account, jid)


# The URL.


def _url(url: str, *, ssl: bool = False, **info: object) -> str:
    """Return whatsmeow's URL, where a connection of ours by this URL has found out so much."""
    known = {"host": "db.example.com", "port": 5432, "user": "me", "password": "", "dbname": "app"}
    connection = SimpleNamespace(
        info=SimpleNamespace(**known | info), pgconn=SimpleNamespace(ssl_in_use=ssl)
    )
    return whatsmeow_url(cast("Connection", connection), url, "main")


def _options(url: str) -> Mapping[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}


def test_url() -> None:
    """It says who, where, which tables, and that a connection that nobody uses is to end."""
    url = _url("postgres://me:secret@db.example.com/app", password="secret")  # noqa: S106
    assert url.startswith("postgres://me:secret@db.example.com:5432/app?")
    assert _options(url) == {
        "sslmode": "disable",
        "search_path": SCHEMA,
        "idle_session_timeout": "60000",
        "application_name": "outbox whatsapp main",
        "connect_timeout": "10",
    }


def test_url_with_special_characters() -> None:
    """Whatever is in a name or password comes back out of the URL."""
    url = _url("postgresql://", user=ROLE, password=PASSWORD, dbname="my db/?#&%ü")
    parts = urlsplit(url)
    assert unquote(parts.username or "") == ROLE
    assert unquote(parts.password or "") == PASSWORD
    assert unquote(parts.path) == "/my db/?#&%ü"
    assert (parts.hostname, parts.port) == ("db.example.com", 5432)
    assert _options(url)["search_path"] == SCHEMA


def test_url_without_password() -> None:
    """Where no password is needed none is named."""
    assert _url("postgresql://").startswith("postgres://me@db.example.com:5432/app?")


def test_url_of_a_socket() -> None:
    """A Unix socket's folder is an option, as a host in the URL would end at its first slash."""
    url = _url("postgresql://", host="/var/run/my postgres", port=6000)
    assert url.startswith("postgres://me@/app?")
    options = _options(url)
    assert (options["host"], options["port"]) == ("/var/run/my postgres", "6000")


def test_url_of_ipv6() -> None:
    """An address of IPv6 stands in brackets, so that its colons are none before a port."""
    parts = urlsplit(_url("postgresql://", host="2001:db8::1", port=6000))
    assert (parts.hostname, parts.port) == ("2001:db8::1", 6000)


@pytest.mark.parametrize(
    ("given", "ssl", "sslmode"),
    [
        ("", False, "disable"),
        ("", True, "require"),
        ("?sslmode=disable", False, "disable"),
        ("?sslmode=allow", False, "disable"),
        ("?sslmode=prefer", False, "disable"),
        ("?sslmode=prefer", True, "require"),
        ("?sslmode=require", True, "require"),
        ("?sslmode=verify-ca", True, "verify-ca"),
        ("?sslmode=verify-full", True, "verify-full"),
    ],
)
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_url_with_tls(scheme: str, given: str, ssl: bool, sslmode: str) -> None:  # noqa: FBT001
    """Go's driver is told what ours has found out, unless more was asked for."""
    url = _url(f"{scheme}://me@db.example.com/app{given}", ssl=ssl)
    assert _options(url)["sslmode"] == sslmode


def test_url_with_certificates() -> None:
    """The files that a connection needs are named to whatsmeow, too."""
    given = "postgresql:///app?sslmode=verify-full&sslrootcert=/a/ca.pem&sslcert=/a/c&sslkey=/a/k"
    options = _options(_url(given, ssl=True))
    assert (options["sslrootcert"], options["sslcert"], options["sslkey"]) == (
        "/a/ca.pem",
        "/a/c",
        "/a/k",
    )


# The library opens it.

_OPEN = """
import json, sys
from neonize.client import ClientFactory
devices = ClientFactory.get_all_devices_from_db(sys.argv[1])
print(json.dumps([device.JID.User for device in devices]))
"""


def _opened(url: str) -> list[str]:
    """Let the library open a store, and return its devices, each as number:device."""
    program = [sys.executable, "-c", _OPEN, url]
    ran = subprocess.run(program, check=False, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    devices: list[str] = json.loads(ran.stdout.splitlines()[-1])
    return devices


@contextmanager
def _role(server_url: str) -> Iterator[None]:
    """Let there be a role that has to give its password."""
    name, password = sql.Identifier(ROLE), sql.Literal(PASSWORD)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create role {} login superuser password {}").format(name, password)
        )
        row = connection.execute("show hba_file").fetchone()
        assert row
        hba = Path(row[0])
        before = None
        if os.access(hba, os.W_OK):
            before = hba.read_text()
            hba.write_text(f'local all "{ROLE}" scram-sha-256\n{before}')
            connection.execute("select pg_reload_conf()")
        try:
            yield
        finally:
            if before is not None:
                hba.write_text(before)
                connection.execute("select pg_reload_conf()")
            connection.execute(sql.SQL("drop role {}").format(name))


@pytest.fixture
def odd(server_url: str, template: str) -> Iterator[str]:
    """The name of a database with characters in it that mean something in a URL."""
    suffix = "my db/?#&%ü+'"
    with _role(server_url), database(server_url, suffix, template):
        yield f"{PREFIX}_{suffix}"


@contextmanager
def _over_tcp(server_url: str, name: str, host: str) -> Iterator[str]:
    """Yield the URL of a database, as the role that gives its password over TCP."""
    with psycopg.connect(server_url) as connection:
        info = connection.info
        found, port = info.host, info.port
    who = f"{quote(ROLE, safe='')}:{quote(PASSWORD, safe='')}"
    at = f"/{quote(name, safe='')}"
    if not found.startswith("/"):
        yield f"postgresql://{who}@{found}:{port}{at}"
        return
    with relay(f"{found}/.s.PGSQL.{port}", host) as relayed:
        yield f"postgresql://{who}@{f'[{host}]' if ':' in host else host}:{relayed}{at}"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_library_opens_it_over_tcp(server_url: str, odd: str, jid: str, host: str) -> None:
    """The library reads the URL as libpq does, and makes its tables where they belong."""
    try:
        with _over_tcp(server_url, odd, host) as url:
            store = WhatsmeowStore(url)
            assert _opened(store.url("main")) == []
            with psycopg.connect(url, autocommit=True) as connection:
                _pair(connection, "main", jid)
            device = store.device("main")
            assert device is not None
            assert _opened(device.url) == [jid.partition("@")[0]]
    except OSError as error:
        if ":" in host and not isinstance(error, ConnectionError):
            pytest.skip(f"this machine has no IPv6: {error}")
        raise


def test_wrong_password(server_url: str, odd: str) -> None:
    """The password is asked for, so the test above says something."""
    with _over_tcp(server_url, odd, "127.0.0.1") as url:
        wrong = url.replace(quote(PASSWORD, safe=""), "wrong")
        with psycopg.connect(server_url) as connection:
            asked = connection.info.host.startswith("/")
        if not asked:
            pytest.skip("whether this server asks for passwords is its own business")
        with pytest.raises(ConnectionError, match="password authentication failed"):
            WhatsmeowStore(wrong).device("main")


def test_library_opens_it_over_a_socket(server_url: str, odd: str, jid: str) -> None:
    """Over a Unix socket, too, with a password where one is asked for."""
    with psycopg.connect(server_url) as connection:
        info = connection.info
        host, port = info.host, info.port
    if not host.startswith("/"):
        pytest.skip("this server has no socket here")
    who = f"{quote(ROLE, safe='')}:{quote(PASSWORD, safe='')}"
    at = f"{quote(odd, safe='')}?host={quote(host, safe='')}&port={port}"
    url = f"postgresql://{who}@/{at}"
    store = WhatsmeowStore(url)
    assert _opened(store.url("main")) == []
    with psycopg.connect(url, autocommit=True) as connection:
        _pair(connection, "main", jid)
    device = store.device("main")
    assert device is not None
    assert _opened(device.url) == [jid.partition("@")[0]]


# Devices.


def test_not_paired(store: WhatsmeowStore, tables: None, connection: psycopg.Connection) -> None:
    """An account without a login has no device, whatever devices there are."""
    _pair(connection, "other", f"{next(_numbers)}:5@s.whatsapp.net")
    assert store.device("main") is None


def test_no_tables(store: WhatsmeowStore, connection: psycopg.Connection, jid: str) -> None:
    """Nor has one with a login where whatsmeow has never been; nor has it traces."""
    record_login(connection, "main", jid)
    assert store.device("main") is None
    assert store.traces("main", [b"x" * 32]) == {}
    store.forget_device("main")


def test_row_is_gone(
    store: WhatsmeowStore, tables: None, connection: psycopg.Connection, jid: str
) -> None:
    """Nor has one whose device whatsmeow has deleted, because WhatsApp logged it out."""
    _pair(connection, "main", jid)
    assert store.device("main") is not None
    connection.execute("delete from whatsapp.whatsmeow_device")
    assert store.device("main") is None


def test_device(
    store: WhatsmeowStore, tables: None, connection: psycopg.Connection, jid: str
) -> None:
    """A paired account's is named by its JID, with the way to the store."""
    _pair(connection, "main", jid)
    _pair(connection, "other", f"{next(_numbers)}:5@s.whatsapp.net")
    device = store.device("main")
    assert device is not None
    assert device.jid == jid
    assert _options(device.url)["search_path"] == SCHEMA
    assert store.device("main") == device


def test_many_ask_first(
    store: WhatsmeowStore, tables: None, connection: psycopg.Connection
) -> None:
    """Accounts that connect at the same time, the first ones ever, each have their device."""
    devices = {f"account-{n}": f"{next(_numbers)}:5@s.whatsapp.net" for n in range(6)}
    for account, jid in devices.items():
        _pair(connection, account, jid)
    for _ in range(5):
        connection.execute("drop index if exists whatsapp.outbox_traces")
        with ThreadPoolExecutor(len(devices)) as pool:
            found = list(pool.map(store.device, devices))
        assert [device and device.jid for device in found] == list(devices.values())


def test_forget(
    store: WhatsmeowStore, tables: None, connection: psycopg.Connection, jid: str
) -> None:
    """A device that is forgotten is gone, and nobody else's is."""
    other = f"{next(_numbers)}:5@s.whatsapp.net"
    _pair(connection, "main", jid)
    _pair(connection, "other", other)
    store.forget_device("main")
    store.forget_device("main")
    assert store.device("main") is None
    assert connection.execute("select jid from whatsapp.whatsmeow_device").fetchall() == [(other,)]


def test_database_is_away(database_url: str) -> None:
    """Without the database nothing is known, which is no answer."""
    store = WhatsmeowStore("postgresql://127.0.0.1:9/nowhere")
    for ask in (store.device, store.url, store.forget_device):
        with pytest.raises(ConnectionError):
            ask("main")
    with pytest.raises(ConnectionError):
        store.traces("main", [b"x" * 32])


# Traces.


def _keep_secrets(connection: psycopg.Connection, jid: str, number: int) -> None:
    connection.execute(
        "insert into whatsapp.whatsmeow_message_secrets"
        " (our_jid, chat_jid, sender_jid, message_id, key)"
        " select %s, '8' || n %% 1000 || '@lid', %s, '3EB0' || n, sha256(n::text::bytea)"
        " from generate_series(1, %s) n",
        (jid, jid, number),
    )
    connection.execute("analyze whatsapp.whatsmeow_message_secrets")


def test_traces(
    store: WhatsmeowStore, tables: None, connection: psycopg.Connection, jid: str
) -> None:
    """The message id of each secret that whatsmeow keeps, and of no other."""
    _pair(connection, "main", jid)
    _keep_secrets(connection, jid, 3)
    rows = connection.execute("select key, message_id from whatsapp.whatsmeow_message_secrets")
    kept: dict[bytes, str] = dict(rows.fetchall())
    first, second, _ = kept
    never = attempt_secret(uuid4(), 1)
    assert store.traces("main", [first, never, second]) == {
        first: kept[first],
        second: kept[second],
    }
    assert store.traces("main", []) == {}


def test_traces_are_found_by_an_index(
    store: WhatsmeowStore, tables: None, connection: psycopg.Connection, jid: str
) -> None:
    """Among a hundred thousand rows, once somebody has asked for the device."""
    _pair(connection, "main", jid)
    assert store.device("main") is not None
    _keep_secrets(connection, jid, 100_000)
    asked = [attempt_secret(uuid4(), 1) for _ in range(200)]
    plan = "\n".join(
        line
        for (line,) in connection.execute(
            f"explain (analyze, buffers off, timing off, summary off) {query('traces')}",
            {"secrets": asked},
        )
    )
    assert "outbox_traces" in plan
    assert "Seq Scan" not in plan
    assert store.traces("main", asked) == {}


# Connections.


def _connections(connection: psycopg.Connection) -> int:
    row = connection.execute(
        "select count(*) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
        " and application_name like 'outbox %'"
    ).fetchone()
    assert row
    number: int = row[0]
    return number


def _settles(connection: psycopg.Connection, number: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while (found := _connections(connection)) > number:
        assert time.monotonic() < deadline, f"{found} connections stay"
        time.sleep(0.05)


def test_connections(
    store: WhatsmeowStore,
    tables: None,
    connection: psycopg.Connection,
    whatsapp: WhatsApp,
    jid: str,
) -> None:
    """A session needs few connections, as many after twenty reconnections, and none when closed."""
    _pair(connection, "main", jid)
    account = whatsapp.account(jid)
    listener = Listener(store)
    found: list[int] = []
    try:
        for nth in range(1, 22):
            listener.connect()
            assert listener.outcome(listener.send()).type == "sent"
            found.append(_connections(connection))
            if nth < 21:
                account.drop()
                listener.transition("disconnected", nth)
                _settles(connection, 0)
    finally:
        listener.close()
    assert 1 <= max(found) <= 3
    _settles(connection, 0)


def test_accounts_share_the_store(
    store: WhatsmeowStore,
    tables: None,
    connection: psycopg.Connection,
    whatsapp: WhatsApp,
    jid: str,
) -> None:
    """Of two accounts in one store each sends as itself, finds its traces and loses its own."""
    other = f"{next(_numbers)}:7@s.whatsapp.net"
    _pair(connection, "main", jid)
    _pair(connection, "other", other)
    listeners = [Listener(store, account=name) for name in ("main", "other")]
    sides = [whatsapp.account(jid), whatsapp.account(other)]
    try:
        for listener in listeners:
            listener.session.connect()
        for listener in listeners:
            listener.transition("connected")
        for listener, side, text in zip(listeners, sides, ("mine", "yours"), strict=True):
            attempt = listener.send(content={"kind": "text", "text": text})
            outcome = listener.outcome(attempt)
            assert [(one.text, one.message_id) for one in side.received()] == [
                (text, outcome.message_id)
            ]
            traces = listener.session.trace([(attempt.notification, attempt.number)])
            assert list(traces.values()) == [outcome.message_id]
        sides[0].log_out()
        assert listeners[0].end().type == "logged_out"
        assert listeners[1].outcome(listeners[1].send()).type == "sent"
        assert store.device("main") is None
        assert store.device("other") is not None
    finally:
        for listener in listeners:
            listener.close()
