"""To pair an account with a phone, and to unpair it: what an operator does while no session runs.

Invariants: the account's lease is held meanwhile, so nobody builds a session beside it; an owner
that cannot connect for want of a login is fenced for it and has the account back afterwards. What
happened is in the log; the device's address, which is a number, is beside it.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from outbox.errors import OutboxError
from outbox.log import lease
from outbox.log.connection import record_transition
from outbox.log.login import forget_login, record_login
from outbox.session.whatsapp import linking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from outbox.log.database import Connection
    from outbox.log.store import WhatsmeowStore

_HELD = timedelta(seconds=linking.PAIR_SECONDS + 10)
"""How long the lease is held if this process dies: a code to type is shown once, for all of it."""


class NotNowError(OutboxError):
    """The account's state does not allow it; the message says why, and the way out."""


def pair(
    connection: Connection,
    store: WhatsmeowStore,
    account: str,
    worker: Mapping[str, Any],
    show: Callable[[linking.Shown], None],
    number: str | None = None,
) -> str:
    """Pair an account; return the JID of its device.

    Args:
        connection: Where the log is.
        store: Where logins are.
        account: The account; it need not be known yet.
        worker: What the log should say of this process.
        show: Shows a code to whoever holds the phone, instead of the one before.
        number: Of the phone, in digits with its country, to have a code to type.

    Raises:
        NotNowError: It is paired already, or a worker has a connection.
        LinkingError: Nobody has used a code in time, or WhatsApp refused.
    """
    if store.device(account) is not None:
        raise NotNowError(
            f"Account {account} is paired already; to pair it anew run first: "
            f"outbox unpair {account}"
        )
    with _leased(connection, account, worker) as epoch:
        offered = False
        for event in linking.pair(account, store.url(account), number):
            if isinstance(event, linking.Paired):
                with connection.transaction():
                    record_login(connection, account, event.jid)
                    record_transition(connection, account, epoch, "paired")
                return event.jid
            lease.renew(connection, account, epoch, _HELD)
            if not offered:
                record_transition(connection, account, epoch, "pairing_offered")
                offered = True
            show(event)
    raise linking.LinkingError("WhatsApp gave no code")


def unpair(
    connection: Connection,
    store: WhatsmeowStore,
    account: str,
    worker: Mapping[str, Any],
    *,
    tell_whatsapp: bool = True,
) -> None:
    """Log an account's device out, and forget it; the queue is kept.

    Args:
        connection: Where the log is.
        store: Where logins are.
        account: The account.
        worker: What the log should say of this process.
        tell_whatsapp: Otherwise the login is forgotten here, and the phone shows the device on.

    Raises:
        NotNowError: It is not paired, or a worker has a connection.
        LinkingError: WhatsApp could not be told.
    """
    device = store.device(account)
    if device is None:
        raise NotNowError(f"Account {account} is not paired; to pair it run: outbox pair {account}")
    with _leased(connection, account, worker) as epoch:
        if tell_whatsapp:
            linking.unpair(account, device.url, device.jid)
        store.forget_device(account)
        with connection.transaction():
            forget_login(connection, account)
            record_transition(
                connection, account, epoch, "logged_out", reason="unpaired by an operator"
            )


@contextmanager
def _leased(connection: Connection, account: str, worker: Mapping[str, Any]) -> Iterator[int]:
    epoch = lease.acquire(connection, account, uuid4(), _HELD, worker, take_over=True)
    if epoch is None:
        raise NotNowError(
            f"A worker has account {account} connected, or is about to; stop that worker first"
        )
    try:
        yield epoch
    finally:
        lease.release(connection, account, epoch)
