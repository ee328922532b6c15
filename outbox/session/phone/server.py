"""WhatsApp's server and the recipients' phones: accounts, what befalls their frames, receipts."""

from __future__ import annotations

import secrets
from collections import Counter, defaultdict
from functools import partial
from typing import TYPE_CHECKING

from outbox.session.phone.account import REPLACED, Account
from outbox.session.phone.behaviour import ANY, Behaviour, Fate, StandingKind
from outbox.session.phone.channel import Operator
from outbox.session.phone.device import Device
from outbox.session.phone.ledger import Ledger
from outbox.session.phone.linker import Linker
from outbox.session.phone.timeline import Timeline

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from outbox.session.phone.connection import Connection, Role
    from outbox.session.phone.line import Line

_ENDINGS: dict[StandingKind, Line] = {
    "offline": {"type": "unavailable", "reason": "503: service unavailable"},
    "logged_out": {"type": "logged_out", "reason": "401: logged out from another device"},
    "banned": {"type": "banned", "reason": "402: temporarily banned"},
    "outdated": {"type": "outdated", "reason": "405: client outdated"},
}

_UNLINKED: Line = {"type": "logged_out", "reason": "401: the device is not linked"}


class Server:
    """Everything that the phone knows. All of it runs in one thread, the event loop's."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        ledger: Path,
        behaviour: Behaviour,
        *,
        unpaired: bool = False,
    ) -> None:
        self.ledger = Ledger(ledger)
        self.fate = Fate(behaviour)
        self.timeline = Timeline(loop, self.settle)
        self.counts: Counter[str] = Counter()
        self.waiting: list[Callable[[], bool]] = []
        """Asked at each `settle`; one that returns True is not asked again."""
        self.linkers: set[Linker] = set()
        """Those that show a code."""
        self._links: defaultdict[str, bool] = defaultdict(lambda: not unpaired)
        self._accounts: dict[str, Account] = {}
        self._standings: dict[str, tuple[StandingKind, float | None]] = {}
        self._unsent: set[Connection] = set()
        if self.ledger.sequence:
            for row in Ledger.rows(ledger):
                self.account(row["account"]).traces[row["secret"]] = row["message_id"]

    # What connections need of it.

    def role(self, connection: Connection, line: Line) -> Role | None:
        """Let in a session or an operator by its first line."""
        if line["type"] == "control":
            return Operator(self, connection)
        name = line["account"]
        if line["type"] == "link":
            return Linker(self, name, connection)
        if line["type"] != "login":
            raise ValueError("the first line is no login")
        refused = self.standing(name)
        if refused is None and not self.is_linked(name):
            refused = _UNLINKED
        if refused is not None:
            self.count("refused")
            connection.end(refused)
            return None
        account = self.account(name)
        present = account.connection
        if present is not None and present.ordinal > connection.ordinal:
            # A session that was closed while it connected has left its login to be read late:
            # it must not throw out the one that came after it.
            connection.end(REPLACED)
            return None
        self.count("logins")
        if present is not None:
            self.count("replaced")
        account.log_in(connection)
        return Device(self, account, connection)

    def soon(self, connection: Connection) -> None:
        """Flush this connection at the next `settle`."""
        self._unsent.add(connection)

    def settle(self) -> None:
        """Make durable what was received, then send what is to be answered."""
        self.ledger.flush()
        if self.waiting:
            self.waiting = [waits for waits in self.waiting if not waits()]
        while self._unsent:
            self._unsent.pop().flush()

    # What sessions bring about.

    def receive(self, account: Account, frame: Line) -> None:
        """Write this frame into the ledger."""
        self.ledger.append(account.name, frame)
        self.count("frames")

    def receipts(self, account: Account, message_id: str) -> None:
        """Let the recipient's phone report on this message, now and later."""
        for kind, delay in self.fate.behaviour.receipts():
            hand = partial(self._receipt, account, message_id, kind)
            if delay:
                self.timeline.at(self.timeline.now() + delay, hand)
            else:
                hand()

    def _receipt(self, account: Account, message_id: str, kind: str) -> None:
        self.hand(account, message_id, kind)
        if self.fate.happens(self.fate.behaviour.duplicate):
            self.hand(account, message_id, kind)
        if self.fate.happens(self.fate.behaviour.stray):
            self.hand(account, f"3EB0{secrets.token_hex(9).upper()}", kind)

    def hand(self, account: Account, message_id: str, kind: str) -> None:
        """Hand one receipt to the account's session, or to its next."""
        self.count("receipts")
        account.hand({"type": "receipt", "message_id": message_id, "receipt": kind})

    # What befalls accounts.

    def account(self, name: str) -> Account:
        """Return the account of this name; every name has one."""
        return self._accounts.setdefault(name, Account(name))

    def accounts(self, name: str) -> Iterator[Account]:
        """Yield the account of this name, or all that there are."""
        if name == ANY:
            yield from self._accounts.values()
        else:
            yield self.account(name)

    def drop(self, account: Account) -> None:
        """Drop the account's connection without a word."""
        self.counts["dropped"] += account.drop()

    def replace(self, account: Account) -> None:
        """End the account's session as if another had logged in."""
        self.counts["replaced"] += account.end(REPLACED)

    def stand(self, name: str, kind: StandingKind, seconds: float | None) -> None:
        """End the session of this account, or of all, and refuse its logins, for a while or on."""
        until = None if seconds is None else self.timeline.now() + seconds
        self._standings[name] = kind, until
        for account in self.accounts(name):
            account.end(self._ending_of(kind, until))

    def is_linked(self, name: str) -> bool:
        """Return whether the account's device is linked with the handset."""
        return self._links[name]

    def scan(self, code: str) -> None:
        """Use a code.

        Raises:
            ValueError: Nobody shows it.
        """
        for linker in self.linkers:
            if linker.code == code:
                linker.use()
                return
        raise ValueError(f"nobody shows the code {code}, or no more")

    def link(self, name: str) -> None:
        """Accept the logins of an account whose code was used."""
        self._links[name] = True

    def unlink(self, name: str) -> None:
        """End the session of this account, or of all, and refuse its logins until it is linked."""
        if name == ANY:
            self._links = defaultdict(bool)
        else:
            self._links[name] = False
        for account in self.accounts(name):
            account.end(_UNLINKED)

    def lift(self, name: str) -> None:
        """Accept the account's logins again; with `*` every account's."""
        if name == ANY:
            self._standings.clear()
        else:
            self._standings.pop(name, None)

    def standing(self, name: str) -> Line | None:
        """Return how this account is refused at present, if it is."""
        for key in (name, ANY):
            kind, until = self._standings.get(key, (None, None))
            if kind is None:
                continue
            if until is None or until > self.timeline.now():
                return self._ending_of(kind, until)
            del self._standings[key]
        return None

    def _ending_of(self, kind: StandingKind, until: float | None) -> Line:
        ending = dict(_ENDINGS[kind])
        if kind == "banned" and until is not None:
            ending["retry_after"] = until - self.timeline.now()
        return ending

    def count(self, what: str) -> None:
        """Count one more of these."""
        self.counts[what] += 1

    def stats(self) -> Line:
        """Return all counts, and which accounts are connected."""
        connected = [name for name, one in self._accounts.items() if one.connection is not None]
        return {**self.counts, "connected": sorted(connected)}
