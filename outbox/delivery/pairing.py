"""To pair an account with a phone, and to unpair it: what an operator does while no session runs.

Invariants: the account's lease is held meanwhile, so nobody builds a session beside it; an owner
that cannot connect for want of a login is fenced for it and has the account back afterwards, and
one that is connected is asked to give the account up to be unpaired. Nobody
takes the account from who pairs it; if that process dies, its lease lapses. What happened is in the
log, with who did it; the device's address, which is a number, is beside it.
"""

from __future__ import annotations

import time
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from uuid import uuid4

from outbox.errors import OutboxError, StaleEpoch
from outbox.log import lease
from outbox.log.connection import record_transition
from outbox.log.login import forget_login, record_login
from outbox.session.linking import LinkingError, Paired

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from outbox.log.database import Connection
    from outbox.session.linking import Linking, Shown

_HELD = timedelta(seconds=30)
"""How long the lease is held if this process dies while it pairs, which renews it each second."""
_HELD_TO_UNPAIR = timedelta(seconds=90)
"""The same while it unpairs, which may take so long."""
_GIVE_WAY = timedelta(seconds=25)
"""How long a connected worker has to give the account up: it looks every five, waits five for what
is being sent, and may need ten to end its session."""
_LOOK_SECONDS = 0.2

Rule = Literal["paired_already", "not_paired", "account_connected", "being_paired"]


class NotNowError(OutboxError):
    """The account's state does not allow it; the message says why, and the way out."""

    def __init__(self, rule: Rule, message: str) -> None:
        super().__init__(message)
        self.rule: Rule = rule


class Whoever(NamedTuple):
    """Who pairs or unpairs."""

    worker: Mapping[str, Any]
    """What the log should say of this process."""
    by: Mapping[str, Any] = {}
    """What the events' metadata should say of who asked for it."""


def pair(
    connection: Connection,
    linking: Linking,
    account: str,
    who: Whoever,
    show: Callable[[Shown], None],
    number: str | None = None,
    wait: Callable[[], None] = lambda: None,
) -> str:
    """Pair an account; return the JID of its device.

    Args:
        connection: Where the log is.
        linking: What links the account.
        account: The account; it need not be known yet.
        who: Who does it.
        show: Shows a code to whoever holds the phone, instead of the one before.
        number: Of the phone, in digits with its country, to have a code to type.
        wait: Called as soon as the account is held, and about each second. What it raises ends the
            pairing, as what `show` raises does.

    Raises:
        NotNowError: It is paired already, a worker has a connection, or somebody else pairs it.
        NobodyScannedError: Nobody has used a code in time.
        LinkingError: It came to nothing.
        ConnectionError: Whoever knows whether it is paired is away.
    """
    if linking.is_paired(account):
        raise NotNowError(
            "paired_already",
            f"Account {account} is paired already; to pair it anew run first: "
            f"outbox unpair {account}",
        )
    with (
        _leased(connection, account, who, _HELD) as epoch,
        closing(linking.pair(account, number)) as events,
    ):
        wait()
        offered = False
        for event in events:
            if isinstance(event, Paired):
                with connection.transaction():
                    record_login(connection, account, event.jid)
                    record_transition(connection, account, epoch, "paired", by=who.by)
                return event.jid
            if not lease.renew(connection, account, epoch, _HELD):
                raise LinkingError("the account was lost to somebody else meanwhile")
            if event is None:
                wait()
                continue
            if not offered:
                record_transition(connection, account, epoch, "pairing_offered", by=who.by)
                offered = True
            show(event)
    raise LinkingError("there was no code")


def unpair(
    connection: Connection,
    linking: Linking,
    account: str,
    who: Whoever,
    *,
    tell: bool = True,
) -> None:
    """Log an account's device out, and forget it; the queue is kept.

    Args:
        connection: Where the log is.
        linking: What ends the link.
        account: The account.
        who: Who does it.
        tell: Tell WhatsApp. Otherwise the login is forgotten here, and the phone shows the device
            on.

    Raises:
        NotNowError: It is not paired, a worker does not give it up, or somebody pairs it.
        LinkingError: WhatsApp could not be told.
        ConnectionError: Whoever knows whether it is paired is away.
    """
    if not linking.is_paired(account):
        raise NotNowError(
            "not_paired",
            f"Account {account} is not paired; to pair it run: outbox pair {account}",
        )
    with _leased(connection, account, who, _HELD_TO_UNPAIR, _GIVE_WAY) as epoch:
        if tell:
            linking.unpair(account)
        linking.forget(account)
        with connection.transaction():
            forget_login(connection, account)
            record_transition(
                connection,
                account,
                epoch,
                "logged_out",
                reason="unpaired by an operator",
                by=who.by,
            )


@contextmanager
def _leased(
    connection: Connection,
    account: str,
    who: Whoever,
    held: timedelta,
    patience: timedelta = timedelta(0),
) -> Iterator[int]:
    epoch = _acquire(connection, account, who, held, patience)
    if epoch is None and lease.is_pairing(connection, account):
        raise NotNowError(
            "being_paired",
            f"Somebody is pairing or unpairing account {account} at this moment; wait until that "
            f"is over, a few minutes at most",
        )
    if epoch is None:
        raise NotNowError(
            "account_connected",
            f"A worker has account {account} connected, or is about to; stop that worker first",
        )
    try:
        yield epoch
    finally:
        with suppress(StaleEpoch):  # it has lapsed, which is in the log already
            lease.release(connection, account, epoch)


def _acquire(
    connection: Connection, account: str, who: Whoever, held: timedelta, patience: timedelta
) -> int | None:
    """Take the lease; a worker that has the account connected is asked for it, and waited for."""
    about = {**who.worker, **who.by}
    until = time.monotonic() + patience.total_seconds()
    asked, epoch = False, None
    try:
        while True:
            epoch = lease.acquire(connection, account, uuid4(), held, about, pairing=True)
            if epoch is not None or lease.is_pairing(connection, account):
                return epoch
            if time.monotonic() >= until:
                return None
            if not asked:
                lease.want(connection, account, patience)
                asked = True
            time.sleep(_LOOK_SECONDS)
    finally:
        if asked and epoch is None:  # also when it was interrupted
            lease.want(connection, account, timedelta(0))
