"""Leases: who owns an account, by the database's clock, fenced by an epoch.

Invariants: an account has at most one owner. The epoch grows with every change of owner, and
whoever carries an older one is refused with `StaleEpoch`. While nobody holds the lease, no
notification of the account is being sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from uuid import UUID

    from outbox.log.database import Connection


def acquire(
    connection: Connection,
    account: str,
    owner: UUID,
    duration: timedelta,
    worker: Mapping[str, Any],
    *,
    pairing: bool = False,
) -> int | None:
    """Take the lease of an account; return its new epoch, or None while another owner has it.

    Args:
        connection: Where to.
        account: The account.
        owner: Names this owner; made anew for each process, never used twice.
        duration: How long the lease holds unless it is renewed.
        worker: What the log should say of the owner: host, process, release.
        pairing: To pair or unpair the account: fence an owner that lives, unless it has, builds or
            ends a connection, or pairs, too.
    """
    row = connection.execute(
        "select outbox.acquire_lease(%s, %s, %s, %s, %s)",
        (account, owner, duration, Jsonb(dict(worker)), pairing),
    ).fetchone()
    return row[0] if row else None


def is_pairing(connection: Connection, account: str) -> bool:
    """Return whether the account's owner is somebody who pairs or unpairs it."""
    row = connection.execute(
        "select pairing and owner is not null from outbox.lease where account = %s", (account,)
    ).fetchone()
    return bool(row and row[0])


def want(connection: Connection, account: str, duration: timedelta) -> None:
    """Ask a worker that owns the account to give it back, and wait so long for that."""
    connection.execute("select outbox.want_lease(%s, %s)", (account, duration))


def is_wanted(connection: Connection, account: str) -> bool:
    """Return whether somebody waits for the account."""
    row = connection.execute(
        "select wanted_until > statement_timestamp() from outbox.lease where account = %s",
        (account,),
    ).fetchone()
    return bool(row and row[0])


def renew(connection: Connection, account: str, epoch: int, duration: timedelta) -> bool:
    """Renew a lease; return whether it is still held with this epoch."""
    row = connection.execute(
        "select outbox.renew_lease(%s, %s, %s)", (account, epoch, duration)
    ).fetchone()
    return bool(row and row[0])


def release(connection: Connection, account: str, epoch: int) -> None:
    """Give a lease back.

    Raises:
        StaleEpoch: It is held no more.
    """
    connection.execute("select outbox.release_lease(%s, %s)", (account, epoch))


def rescue(connection: Connection) -> list[str]:
    """End every lease that was not renewed in time, and return the accounts."""
    return [account for (account,) in connection.execute("select outbox.rescue_leases()")]


def park(connection: Connection, account: str, epoch: int, *, wake: bool) -> None:
    """Say whether the owner wants to be told of new notifications.

    Raises:
        StaleEpoch: The lease is held no more.
    """
    connection.execute("select outbox.park(%s, %s, %s)", (account, epoch, wake))
