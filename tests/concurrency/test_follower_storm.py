"""Followers beside many writers: slow ones, savepoints, rollbacks, a forgotten transaction."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest

from outbox.errors import Refused
from outbox.log.follow import Event, Follower
from tests.account import Account
from tests.concurrency.rules import broken_rules

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

WRITERS, SLOW, TRANSACTIONS = 8, 3, 60


class Storm:
    """Writers, followers, and what they have seen."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.shared: list[UUID] = []
        self.seen: dict[str, list[Event]] = {}
        self.calm = threading.Event()
        """The writers are done."""
        self.quiet = threading.Event()
        """So is the follower that writes."""

    def write(self, writer: int) -> None:
        """Append in transactions of a few statements, now and then in vain."""
        chance = random.Random(writer)  # noqa: S311 - no secret
        with psycopg.connect(self.url) as connection:
            account = Account(connection)
            for _ in range(TRANSACTIONS if writer >= SLOW else TRANSACTIONS // 5):
                begun: list[UUID] = []
                for _ in range(chance.randint(1, 4)):
                    with connection.transaction(force_rollback=chance.random() < 0.2):  # savepoint
                        begun.append(account.enqueue(writer))
                        self.change(account, chance)
                    if writer < SLOW:
                        time.sleep(chance.random() * 0.05)
                if chance.random() < 0.1:
                    connection.rollback()
                else:
                    connection.commit()
                    self.shared += begun

    def change(self, account: Account, chance: random.Random) -> None:
        """Append to a stream that any writer may have begun."""
        if not self.shared:
            return
        notification = chance.choice(self.shared)
        act: Callable[[UUID], None] = chance.choice([account.cancel, account.requeue])
        try:
            with account.connection.transaction():
                account.connection.execute("set local lock_timeout = '20ms'")
                act(notification)
        except (Refused, psycopg.errors.LockNotAvailable):
            pass

    def follow(self, name: str, limit: int, *, writes: bool) -> None:
        """Read until the writers are done and all is read; append in the reading transaction."""
        seen = self.seen.setdefault(name, [])
        with psycopg.connect(self.url, autocommit=True) as connection:
            follower = Follower(connection, name if writes else None, back=None)
            account = Account(connection, "echo")
            while True:
                calm = (self.calm if writes else self.quiet).is_set()
                with follower.read(limit) as events:
                    if writes and events and not calm and len(seen) % 7 == 0:
                        account.enqueue(WRITERS)
                    seen += events
                if calm and not events and follower.take(limit).complete:
                    self.quiet.set()
                    return
                time.sleep(0.001)


@pytest.mark.parametrize("pinned", [False, True])
def test_nothing_is_missed_or_doubled(database_url: str, *, pinned: bool) -> None:
    """Followers see each committed event once, each stream in its order, and wait for nobody."""
    storm = Storm(database_url)
    with (
        psycopg.connect(database_url, autocommit=True) as connection,
        psycopg.connect(database_url) as forgotten,
        ThreadPoolExecutor(WRITERS + 2) as pool,
    ):
        for number in range(WRITERS + 2):
            Account(connection).enqueue(number)  # that nobody waits for a recipient's row
        if pinned:
            Account(forgotten).enqueue(WRITERS + 1)
        readers = [
            pool.submit(storm.follow, "small", 3, writes=False),
            pool.submit(storm.follow, "large", 1000, writes=True),
        ]
        try:
            for writer in [pool.submit(storm.write, number) for number in range(WRITERS)]:
                writer.result()
            if pinned:
                row = connection.execute("select count(*) from outbox.event").fetchone()
                assert row
                while len(storm.seen["small"]) < row[0]:  # though that transaction is open
                    assert not readers[0].done()
                    time.sleep(0.01)
                forgotten.commit()
        finally:
            storm.calm.set()
        for reader in reversed(readers):
            reader.result()
        rows = connection.execute("select position from outbox.event order by position")
        positions = [row[0] for row in rows]
    assert len(positions) > WRITERS * TRANSACTIONS
    for seen in storm.seen.values():
        assert sorted(event.position for event in seen) == positions
        assert broken_rules(seen) == []
