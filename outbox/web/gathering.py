"""Group commit: notifications that come while others are being committed are committed together.

A commit costs several times as much as what is committed, so whoever comes meanwhile shares the
next one. Invariants: nobody is answered before the commit that its notification is in; a group is
accepted as a whole or not at all, and if not, each of it is accepted or refused on its own, as if
there were no groups; what may have been committed, though nobody knows, is not tried again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psycopg
from fastapi.concurrency import run_in_threadpool

from outbox.log import intake

if TYPE_CHECKING:
    from uuid import UUID

    from outbox.log.pool import Pool

SCOPE: Final = "enqueue"
"""What the token of each has to be for."""
MOST: Final = 32
"""In a group: beyond it a larger one saves little, and each may have a body of some megabytes."""


class Given(NamedTuple):
    """A notification, and whose."""

    digest: bytes
    """Of the token, which is judged again in the transaction."""
    row: dict[str, Any]
    """The notification, with the parameters of the SQL function `outbox.enqueue`."""


class Gathering:
    """Who waits for the next commit; for use within one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(self, pool: Pool, account: str, given: Given) -> UUID | None:
        """Accept a notification together with those that come at the same time.

        Returns:
            Its id; None if nothing of the group was accepted, and each is to be tried alone.

        Raises:
            psycopg.OperationalError: The database is not to be had, or was lost; then nobody knows.
        """
        waiting = self._waiting.get(account)
        if waiting is None:
            waiting = self._waiting[account] = deque()
            task = asyncio.create_task(self._commit(pool, account, waiting))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        told: asyncio.Future[UUID | None] = asyncio.get_running_loop().create_future()
        waiting.append(_Waiting(given, told))
        return await told

    async def _commit(self, pool: Pool, account: str, waiting: deque[_Waiting]) -> None:
        """Commit one group after the other, until nobody waits."""
        group: list[_Waiting] = []
        try:
            while waiting:
                group = [waiting.popleft() for _ in range(min(len(waiting), MOST))]
                together = [one.given for one in group]
                try:
                    ids = await run_in_threadpool(accept_together, pool, account, together)
                except Exception as error:  # noqa: BLE001 - each is told of it
                    _fail(group, error)
                else:
                    _tell(group, ids or [None] * len(group))
        finally:
            del self._waiting[account]
            for one in (*group, *waiting):
                one.told.cancel()  # does nothing to those who have been told


def accept_together(pool: Pool, account: str, group: list[Given]) -> list[UUID] | None:
    """Accept notifications in one transaction, if their tokens are still valid for that.

    Returns:
        Their ids, or None if nothing was accepted because something is wrong with one of them.

    Raises:
        psycopg.OperationalError: It is not known what was accepted, or the database is overloaded.
    """
    with pool.connection() as connection:
        try:
            return intake.accept_together(
                connection,
                [one.row for one in group],
                account,
                digests={one.digest for one in group},
                scope=SCOPE,
            )
        except psycopg.errors.QueryCanceled:
            raise  # each of them alone would make a slow database slower
        except psycopg.Error as error:
            # Only where the database itself says so, and lives on, has it surely rolled back.
            if error.sqlstate is None or connection.closed:
                raise
            return None
        except RecursionError:  # JSON that nests too deeply to be written, so nothing was sent
            return None


class _Waiting(NamedTuple):
    given: Given
    told: asyncio.Future[UUID | None]


def _tell(group: list[_Waiting], ids: list[UUID] | list[None]) -> None:
    for one, accepted in zip(group, ids, strict=True):
        if not one.told.done():  # who has gone away is told nothing
            one.told.set_result(accepted)


def _fail(group: list[_Waiting], error: Exception) -> None:
    for one in group:
        if not one.told.done():
            one.told.set_exception(error)
