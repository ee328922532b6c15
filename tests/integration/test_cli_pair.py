"""`outbox pair`, `outbox unpair` and `outbox accounts`, with the phone in the tests' hand."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import psycopg
import pytest

from outbox.cli import pair as command
from outbox.delivery import pairing
from outbox.log.login import login_of, record_login
from outbox.session.linking import Shown
from outbox.session.whatsapp import linking
from tests.cli_runner import Session, enqueue, run
from tests.whatsapp.linked import linking_server
from tests.whatsapp.server import WhatsApp

_numbers = count(31_650_000_001)


@pytest.fixture
def jid() -> str:
    """A device of an account that no other test has."""
    return f"{next(_numbers)}:5@s.whatsapp.net"


@pytest.fixture
def number(jid: str) -> str:
    """The number of its phone."""
    return "+" + jid.partition(":")[0]


@pytest.fixture
def whatsapp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jid: str, request: pytest.FixtureRequest
) -> Iterator[WhatsApp]:
    """A server with a phone that uses the first code that is shown."""
    with linking_server(tmp_path, monkeypatch) as server:
        use = {"qr": server.phone.scan, "code": server.phone.enter}
        used: list[Shown] = []

        def and_use(show: Callable[[Shown], None]) -> Callable[[Shown], None]:
            def shown(what: Shown) -> None:
                show(what)
                if not used:
                    used.append(what)
                    use[what.kind](what.text, jid)

            return shown

        monkeypatch.setattr(command, "_show", and_use(command._show))
        monkeypatch.setattr(command, "_tell", and_use(command._tell))
        yield server


def test_qr_code(
    connection: psycopg.Connection, database_url: str, whatsapp: WhatsApp, jid: str, number: str
) -> None:
    """A QR code is drawn; when it is scanned the command says as whom the account is paired."""
    ran = run("pair", url=database_url)
    assert ran.code == 0
    assert "█" in ran.out
    assert f"main is paired as {number}" in ran.out
    assert "outbox worker --account main" in ran.out
    assert "Linked devices" in ran.err
    assert login_of(connection, "main") == jid


def test_typed_code(database_url: str, whatsapp: WhatsApp, number: str) -> None:
    """With a number there is a code to type, whichever way the number is written."""
    written = f"{number[:3]} {number[3:]}"
    ran = run("pair", "shop", "--phone", written, url=database_url)
    assert ran.code == 0
    assert "Link with phone number instead" in ran.out
    assert "█" not in ran.out
    assert f"shop is paired as {number}" in ran.out


@pytest.mark.parametrize("kind", ["qr", "code"])
def test_json(
    connection: psycopg.Connection,
    database_url: str,
    whatsapp: WhatsApp,
    jid: str,
    number: str,
    kind: str,
) -> None:
    """A program is told every code and the end, a line each."""
    phone = ["--phone", number] if kind == "code" else []
    ran = run("pair", "main", "--json", *phone, url=database_url)
    assert ran.code == 0
    first, *_, last = [json.loads(line) for line in ran.out.splitlines()]
    assert list(first) == [kind]
    assert last == {"account": "main", "paired": jid}


@pytest.mark.parametrize("phone", ["12", "nonsense", "120363000000000001@g.us", "1@newsletter"])
def test_no_phone(database_url: str, whatsapp: WhatsApp, phone: str) -> None:
    """What is no phone's number is refused before anything is done."""
    ran = run("pair", "--phone", phone, url=database_url)
    assert ran.code == 2
    assert ran.err
    assert not ran.out


def test_paired_already(database_url: str, whatsapp: WhatsApp) -> None:
    """To pair a paired account is refused, with the way out."""
    assert run("pair", url=database_url).code == 0
    ran = run("pair", url=database_url)
    assert ran.code == 5
    assert "Account main is paired already" in ran.err
    assert "outbox unpair main" in ran.err


def test_connected(
    connection: psycopg.Connection,
    database_url: str,
    whatsapp: WhatsApp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To pair while a worker has the account connected is refused, and to unpair if it keeps it."""
    monkeypatch.setattr(pairing, "_GIVE_WAY", timedelta(seconds=0.5))
    assert run("pair", url=database_url).code == 0
    Session(connection).transition("connected")
    ran = run("unpair", url=database_url)
    assert ran.code == 5
    assert "stop that worker first" in ran.err
    connection.execute("delete from whatsapp.whatsmeow_device")
    ran = run("pair", url=database_url)
    assert ran.code == 5
    assert "stop that worker first" in ran.err


def test_nobody_scans(
    connection: psycopg.Connection,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When time is up the command says so, and nothing is paired."""
    monkeypatch.setattr(linking, "PAIR_SECONDS", 4.0)
    with linking_server(tmp_path, monkeypatch):
        ran = run("pair", "--json", url=database_url)
    assert ran.code == 10
    assert "nobody has used a code in time" in ran.err
    assert list(json.loads(ran.out.splitlines()[0])) == ["qr"]
    assert login_of(connection, "main") is None


def test_pooled(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a pooler nothing can be paired, and the command says what is missing."""
    monkeypatch.setenv("OUTBOX_POOLED", "true")
    ran = run("pair", url=database_url)
    assert ran.code == 2
    assert "OUTBOX_LISTEN_URL" in ran.err


@pytest.mark.parametrize("options", [[], ["--forget"]])
def test_unpair(
    connection: psycopg.Connection,
    database_url: str,
    whatsapp: WhatsApp,
    jid: str,
    options: list[str],
) -> None:
    """The login is gone and the queue is kept; WhatsApp hears of it unless told otherwise."""
    assert run("pair", url=database_url).code == 0
    enqueue(connection)
    ran = run("unpair", *options, url=database_url)
    assert ran.code == 0
    assert ran.out == "main is not paired any more; its queue is kept.\n"
    assert whatsapp.account(jid).unlinked() == ([] if options else [jid])
    assert login_of(connection, "main") is None
    assert connection.execute("select count(*) from outbox.notification").fetchone() == (1,)


def test_unpair_json(database_url: str, whatsapp: WhatsApp) -> None:
    """A program is told in an object."""
    assert run("pair", "shop", "--json", url=database_url).code == 0
    ran = run("unpair", "shop", "--json", url=database_url)
    assert ran.json == {"account": "shop", "unpaired": True}


def test_unpair_what_is_not_paired(database_url: str) -> None:
    """It is refused, with the way to pair."""
    ran = run("unpair", url=database_url)
    assert ran.code == 5
    assert "outbox pair main" in ran.err


def test_unpair_without_whatsapp(database_url: str, whatsapp: WhatsApp, jid: str) -> None:
    """If WhatsApp cannot be told, the account stays paired."""
    assert run("pair", url=database_url).code == 0
    whatsapp.account(jid).offline()
    ran = run("unpair", url=database_url)
    assert ran.code == 10
    assert "failed to dial" in ran.err
    [account] = run("accounts", "--json", url=database_url).json
    assert account["jid"] == jid


def test_no_accounts(database_url: str) -> None:
    """Without an account the way to one is shown, or an empty list."""
    ran = run("accounts", url=database_url)
    assert (ran.code, ran.out) == (0, "No account yet; pair one: outbox pair main\n")
    assert run("accounts", "--json", url=database_url).json == []


def test_accounts(connection: psycopg.Connection, database_url: str) -> None:
    """Each account, as whom it is paired, and where it stands, whether it was owned or paired."""
    Session(connection, "main").transition("connected")
    record_login(connection, "main", "31650900001:5@s.whatsapp.net")
    record_login(connection, "paired", "31650900002:6@s.whatsapp.net")
    Session(connection, "unpaired").transition("logged_out", "account unpaired is not paired")
    ran = run("accounts", url=database_url)
    assert ran.code == 0
    head, *lines = [line.split() for line in ran.out.splitlines()]
    assert head == ["ACCOUNT", "PAIRED", "AS", "SINCE", "CONNECTION"]
    assert [line[:2] for line in lines] == [
        ["main", "+31650900001"],
        ["paired", "+31650900002"],
        ["unpaired", "nobody"],
    ]
    words = [" ".join(line) for line in lines]
    assert "connected for" in words[0]
    assert "not connected, no owner" in words[1]
    assert "logged out, has to be paired again: account unpaired is not paired" in words[2]


def test_accounts_json(connection: psycopg.Connection, database_url: str) -> None:
    """A program is told every account in one list."""
    record_login(connection, "main", "31650900001:5@s.whatsapp.net")
    Session(connection, "other")
    first, second = run("accounts", "--json", url=database_url).json
    assert (first["account"], first["jid"], first["state"]) == (
        "main",
        "31650900001:5@s.whatsapp.net",
        "free",
    )
    assert first["paired_at"]
    assert (second["account"], second["jid"], second["paired_at"]) == ("other", None, None)
    assert second["state"] != "free"
