"""The session with WhatsApp, neonize's own library and a server of the tests', as a subject."""
# ruff: noqa: D102 - these methods are explained where the suite asks for them

import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import enumerate as running_threads

import psycopg

from outbox.log.login import record_login
from outbox.log.store import SCHEMA, WhatsmeowStore
from outbox.session.port import OpenSession, TransitionType
from outbox.session.whatsapp.session import open_whatsapp
from tests.conformance.subject import Received
from tests.whatsapp.account import Account
from tests.whatsapp.device import pair_device, public_keys
from tests.whatsapp.nodes import Jid, Node
from tests.whatsapp.processes import session_processes
from tests.whatsapp.recipients import written
from tests.whatsapp.server import WhatsApp
from tests.whatsapp.trusting import TRUSTING
from tests.whatsapp.wire import encode

_CONVERSATION = 1
"""The field of a `waE2E.Message` that holds a text."""
_REFUSED, _REFUSED_FOR_GOOD = 479, 405
_numbers = count(31_700_000_001)


class WhatsappStimulus:
    """The server's side of the account, in the suite's words."""

    def __init__(self, account: Account, url: str, jid: str) -> None:
        self._account = account
        self._url = url
        self._jid = jid
        self.drop = account.drop
        self.drop_before_frame = account.drop_before_frame
        self.drop_before_acknowledgement = account.drop_before_acknowledgement
        self.silence = account.silence
        self.replace = account.replace
        self.ban = account.ban
        self.outdate = account.outdate
        self.offline = account.offline
        self.receipt = account.receipt
        self.logins = account.logins
        self.wait_received = account.wait_received

    def refuse(self, jid: str, *, permanently: bool) -> None:
        self._account.refuse(jid, _REFUSED_FOR_GOOD if permanently else _REFUSED)

    def answer(self) -> None:
        self._account.lift()

    def log_out(self) -> None:
        self._account.log_out()

    def lift(self) -> None:
        self._account.lift()
        pair_again(self._url, self._jid)

    def write(self, jid: str, text: str) -> None:
        identity, prekey = public_keys(self._url, self._jid)
        content = encode({_CONVERSATION: text.encode()})
        sealed = Node("enc", {"v": "2", "type": "pkmsg"}, written(content, identity, prekey))
        attributes = {
            "from": Jid(jid),
            "id": f"3A{secrets.token_hex(9).upper()}",
            "t": str(int(time.time())),
            "type": "text",
        }
        self._account.write(Node("message", attributes, [sealed]))

    def received(self) -> Sequence[Received]:
        return [Received(one.jid, one.message_id) for one in self._account.received()]


class WhatsappSubject:
    """An account that is paired, and the server."""

    reconnects_within = 1.5
    at_once = 1
    survives_silence = False
    survives_the_unknown = False
    hears_at_login: frozenset[TransitionType] = frozenset({"banned", "outdated"})

    def __init__(self, server: WhatsApp, url: str, account: str, jid: str) -> None:
        self.account = account
        self.other_side = server.account(jid)
        """What there is of it beside what the suite asks for."""
        self._store = WhatsmeowStore(url)
        self.stimulus = WhatsappStimulus(self.other_side, url, jid)

    def opener(self, *, acknowledge_within: float = 60.0, close_within: float = 0.5) -> OpenSession:
        return open_whatsapp(
            f"whatsapp:?acknowledge_within={acknowledge_within}&close_within={close_within}",
            self._store,
            program=TRUSTING,
        )

    def left_running(self) -> Sequence[str]:
        self.other_side.wait_gone()
        return [
            *(t.name for t in running_threads() if t.name == f"session {self.account}"),
            *(str(process.pid) for process in session_processes()),
        ]


def pair_again(url: str, jid: str) -> None:
    """Let the store have this device, if it does not."""
    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute(
            f"select from {SCHEMA}.whatsmeow_device where jid = %s", (jid,)
        ).fetchone()
        if known is None:
            pair_device(connection, SCHEMA, jid)


@contextmanager
def whatsapp_subject(folder: Path, url: str) -> Iterator[WhatsappSubject]:
    """Yield a subject with a server of its own.

    Args:
        folder: For the server's certificates.
        url: Of a database at the newest revision, with whatsmeow's tables.
    """
    number = next(_numbers)
    account, jid = f"account-{number}", f"{number}:5@s.whatsapp.net"
    pair_again(url, jid)
    with psycopg.connect(url, autocommit=True) as connection:
        record_login(connection, account, jid)
    with WhatsApp.start(folder) as server, _environment(server.environment):
        yield WhatsappSubject(server, url, account, jid)


@contextmanager
def _environment(names: Mapping[str, str]) -> Iterator[None]:
    """Set these in the environment, which the session's process inherits."""
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
