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

from outbox.log import intake

if TYPE_CHECKING:
    from uuid import UUID

    from outbox.log.pool import AsyncPool

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
    """Who waits for the next commit, and the connections that commit, for one event loop.

    A context: outside of it, and in other event loops, nothing is accepted together. What it asks
    of the database it asks in the loop itself, so that the loop answers one group while the
    database commits the next; a thread would wait for the loop before it could send anything.

    Args:
        pool: Of connections, not yet open.
    """

    def __init__(self, pool: AsyncPool) -> None:
        self._pool = pool
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[str, deque[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> None:
        """Begin to connect, in the background."""
        await self._pool.open()
        self._loop = asyncio.get_running_loop()

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        self._loop = None
        await self._pool.close()

    async def accept(self, account: str, given: Given) -> UUID | None:
        """Accept a notification together with those that come at the same time.

        Returns:
            Its id; None if nothing of the group was accepted, and each is to be tried alone.

        Raises:
            psycopg.OperationalError: The database is not to be had, or was lost; then nobody knows.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            return None
        waiting = self._waiting.get(account)
        if waiting is None:
            waiting = self._waiting[account] = deque()
            task = loop.create_task(self._commit(account, waiting))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        told: asyncio.Future[UUID | None] = loop.create_future()
        waiting.append(_Waiting(given, told))
        return await told

    async def accept_group(self, account: str, group: list[Given]) -> list[UUID] | None:
        """Accept notifications that belong together, as a group of their own and at once.

        Returns:
            Their ids; None if nothing was accepted, and they are to be tried with more patience.

        Raises:
            psycopg.OperationalError: As for `accept`.
        """
        if asyncio.get_running_loop() is not self._loop:
            return None
        return await self._accept(account, group)

    async def _commit(self, account: str, waiting: deque[_Waiting]) -> None:
        """Commit one group after the other, until nobody waits."""
        group: list[_Waiting] = []
        try:
            while waiting:
                # Half of those who are there: the others are answered, and ask again, meanwhile.
                half = (len(group) + len(waiting) + 1) // 2
                group = [waiting.popleft() for _ in range(min(half, len(waiting), MOST))]
                try:
                    ids = await self._accept(account, [one.given for one in group])
                except Exception as error:  # noqa: BLE001 - each is told of it
                    _fail(group, error)
                else:
                    _tell(group, ids or [None] * len(group))
        finally:
            del self._waiting[account]
            for one in (*group, *waiting):
                one.told.cancel()  # does nothing to those who have been told

    async def _accept(self, account: str, group: list[Given]) -> list[UUID] | None:
        """Accept notifications in one transaction, if their tokens are still valid for that.

        Returns:
            Their ids, or None if nothing was accepted because something is wrong with one of them.

        Raises:
            psycopg.OperationalError: It is not known what was accepted, or the database is
                overloaded.
        """
        async with self._pool.connection() as connection:
            try:
                return await intake.accept_together(
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
