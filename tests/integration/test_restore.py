"""Restores from a dump: transaction ids begin again, and nobody misses or repeats anything."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest

from outbox.log import queue, replay, restore
from outbox.log.follow import Follower
from outbox.log.swap import swap
from tests.account import Account
from tests.databases import database, renamed
from tests.restoring import copy_by_dump, shift_transaction_ids, standby_of

SHIFTS = [0, 30, 1_000_000]
"""The old server's ids were lower than the new one's, in the same range, or higher."""

STAGES = ["new", "behind", "beside", "stepping", "done"]
"""Where the followers stand when the dump is taken."""

Seen = dict[str, list[int]]


def read(connection: psycopg.Connection, consumer: str, limit: int, seen: Seen) -> bool:
    """Read once; return whether that was all."""
    follower = Follower(connection, consumer, back=None)
    batch = follower.take(limit)
    follower.move(batch)
    seen[consumer] += [event.position for event in batch.events]
    return batch.complete


def drain(connection: psycopg.Connection, consumer: str, seen: Seen) -> None:
    """Read until that is all."""
    while not read(connection, consumer, 3, seen):
        pass


def follow_somehow(connection: psycopg.Connection, url: str, seen: Seen, suffix: str = "") -> None:
    """Append, and bring a follower to each of the stages, one after another."""
    account = Account(connection)
    names = {stage: stage + suffix for stage in STAGES}
    seen.update({name: [] for name in names.values()})
    for number in range(4):
        account.enqueue(number)
    Follower(connection, names["new"], back=None)
    drain(connection, names["behind"], seen)
    for _ in range(2):
        account.enqueue(1)
    with psycopg.connect(url) as slow:
        Account(slow).enqueue(20)
        drain(connection, names["beside"], seen)
        read(connection, names["stepping"], 2, seen)
        slow.commit()
    read(connection, names["stepping"], 2, seen)
    drain(connection, names["done"], seen)


def positions(connection: psycopg.Connection) -> list[int]:
    """Return the positions of all events."""
    rows = connection.execute("select position from outbox.event order by position")
    return [row[0] for row in rows]


def check(connection: psycopg.Connection, seen: Seen) -> None:
    """Let every follower read to the end: each has seen each event once."""
    for consumer in seen:
        drain(connection, consumer, seen)
        assert sorted(seen[consumer]) == positions(connection), consumer


Restore = Callable[[str, int], str]


@pytest.fixture
def restored(server_url: str) -> Iterator[Restore]:
    """Return what restores a database, with its transaction ids shifted, and gives the new URL."""
    with ExitStack() as stack:

        def dump_and_restore(url: str, shift: int) -> str:
            target = stack.enter_context(
                database(server_url, f"restored_{secrets.token_hex(4)}", "template0")
            )
            with psycopg.connect(url) as connection:
                shift_transaction_ids(connection, shift)
            copy_by_dump(url, target)
            return target

        yield dump_and_restore


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    """Connect as a worker would."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def test_without_a_restore_the_epoch_stays(connection: psycopg.Connection) -> None:
    """Starting again is no restore, nor is whatever the server does to a row it keeps."""
    account = Account(connection)
    account.enqueue()
    assert restore.begin(connection) == (1, 0)
    connection.execute("vacuum (full, freeze) outbox.restore_epoch")
    connection.execute("vacuum (full, freeze) outbox.event")
    assert restore.begin(connection) == (1, 0)


@pytest.mark.parametrize("shift", SHIFTS)
def test_followers_go_on_after_a_restore(
    connection: psycopg.Connection, database_url: str, restored: Restore, shift: int
) -> None:
    """Wherever they stood, they see what they had not seen, what came before they noticed, no more.

    A second restore finds followers that have not noticed the first.
    """
    seen: Seen = {}
    follow_somehow(connection, database_url, seen)
    url = restored(database_url, shift)
    with connected(url) as first:
        through = positions(first)[-1]
        Account(first).enqueue(1)  # before anybody notices
        assert restore.begin(first) == (2, through)
        assert restore.begin(first) == (2, through)
        check(first, {"new": list(seen["new"]), "stepping": list(seen["stepping"])})
    url = restored(database_url, shift)
    with connected(url) as first:
        Account(first).enqueue(1)
        follow_somehow(first, url, seen, " again")
        read(first, "stepping", 1, seen)
        again = restored(url, shift)
    with connected(again) as second:
        Account(second).enqueue(1)
        Account(second).enqueue(5)
        check(second, seen)
        assert restore.begin(second).number == 3
        Account(second).enqueue(1)
        check(second, seen)


@pytest.mark.parametrize("shift", SHIFTS)
def test_an_owner_goes_on_after_a_restore(
    connection: psycopg.Connection, database_url: str, restored: Restore, shift: int
) -> None:
    """Its arrivals are what has been enqueued since, and nothing of what came with the restore."""
    for number in range(5):
        Account(connection).enqueue(number)
    with connected(restored(database_url, shift)) as new:
        epoch = restore.begin(new)
        seen, _ = queue.snapshot(new)
        arrived: list[object] = []
        enqueued: list[object] = []
        for number in range(40):  # through the range of the restored ids
            enqueued.append(Account(new).enqueue(number % 7))
            look = queue.arrivals(new, "main", seen, epoch.restored_through)
            arrived += [entry.id for entry in look.due]
            seen = look.snapshot
        assert arrived == enqueued


@pytest.mark.parametrize("shift", SHIFTS)
def test_a_swap_goes_on_after_a_restore(
    connection: psycopg.Connection, database_url: str, restored: Restore, shift: int
) -> None:
    """What came with the restore is no news to it, wherever its transaction ids lie."""
    for number in range(5):
        Account(connection).enqueue(number)
    url = restored(database_url, shift)
    with connected(url) as new, connected(url) as caller:

        def go_on(_done: int, _last: int) -> None:
            for number in range(40):  # through the range of the restored ids
                Account(caller).enqueue(number % 7)

        assert swap(new, go_on).caught_up == 40
        with replay.scratch(new) as schema:
            assert list(replay.differences(new, schema)) == []


@pytest.mark.parametrize("shift", SHIFTS)
def test_a_restored_log_is_whole(
    connection: psycopg.Connection, database_url: str, restored: Restore, shift: int
) -> None:
    """Guards, projections and positions work on, and a rebuild equals what was restored."""
    account = Account.owned(connection)
    account.send(account.enqueue(), "sent", "A")
    with connected(restored(database_url, shift)) as new:
        went_on = Account(new)
        went_on.epoch = account.epoch
        went_on.receive(("A", "read"))
        went_on.send(went_on.enqueue(), "failed")
        with replay.scratch(new) as schema:
            assert list(replay.differences(new, schema)) == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            new.execute("delete from outbox.event")


def test_two_who_notice_a_restore_agree(
    connection: psycopg.Connection, database_url: str, restored: Restore
) -> None:
    """The first begins the epoch; the second waits for it and gets the same."""
    Account(connection).enqueue()
    url = restored(database_url, 0)
    with connected(url) as one, psycopg.connect(url) as two:
        two.execute("select outbox.begin_epoch()")
        one.execute("set lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            restore.begin(one)
        two.commit()
        assert restore.begin(one).number == 2
    with connected(url) as later:
        assert restore.begin(later).number == 2


def test_a_physical_copy_goes_on(
    connection: psycopg.Connection, database_url: str, server_url: str
) -> None:
    """A promoted standby keeps the transaction ids, so it is in the same epoch, and all go on.

    Until then nobody follows the log there: a standby's snapshots name no running transactions.
    """
    seen: Seen = {}
    follow_somehow(connection, database_url, seen)
    with psycopg.connect(database_url) as unfinished:
        Account(unfinished).enqueue(7)
        drain(connection, "beside", seen)
        with (
            standby_of(server_url) as copied,
            connected(renamed(copied, urlsplit(database_url).path.removeprefix("/"))) as copy,
        ):
            with pytest.raises(ValueError, match="ask the primary"):
                Follower(copy)
            copy.execute("select pg_promote()")
            assert restore.begin(copy) == (1, 0)
            Account(copy).enqueue(8)
            check(copy, seen)
