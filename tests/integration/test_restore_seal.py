"""Restores, logical and physical: seals go on, and each event comes under exactly one."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest

from outbox.log.chain import BEGINNING, MARK, Seal, link
from outbox.log.follow import Follower
from outbox.log.seal import blocks, seal
from outbox.log.verify import Finding, Verification, verify
from tests.account import Account
from tests.databases import database, renamed
from tests.restoring import base_backup, copy_by_dump, recover, shift_transaction_ids


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    """Connect as a worker would."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def sealed(connection: psycopg.Connection) -> list[str]:
    """Seal, and return what the worker's log says."""
    return [str(made) for made in seal(connection)]


def judged(
    connection: psycopg.Connection, witnessed: dict[int, bytes] | None = None
) -> tuple[Verification, list[Finding]]:
    """Verify."""
    result = Verification()
    return result, list(verify(connection, result, witnessed=witnessed))


def fit(connection: psycopg.Connection) -> None:
    """Make the seals what they would be, had the events had these transaction ids."""
    digest = BEGINNING
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        for one in map(
            Seal._make, connection.execute("select * from outbox.seal order by number").fetchall()
        ):
            positions = set(one.each_position)
            (block,) = blocks(connection, 0, max(positions))
            both = zip(block.positions, block.digests, strict=True)
            found = [digest for position, digest in both if position in positions]
            digest = link(digest, one.number, one.epoch, one.sealed_at, found)
            connection.execute(
                "update outbox.seal set marks = %s, digest = %s where number = %s",
                (b"".join(d[:MARK] for d in found), digest, one.number),
            )


@pytest.mark.parametrize("shift", [0, 30, 1_000_000])
@pytest.mark.parametrize("stage", ["unsealed", "sealed", "in part", "overtaken"])
def test_a_logical_restore(
    connection: psycopg.Connection, database_url: str, server_url: str, shift: int, stage: str
) -> None:
    """From a dump with other transaction ids, wherever sealing stood: all is whole and goes on."""
    account = Account(connection)
    with ExitStack() as stack:
        for number in range(4):
            account.enqueue(number)
        if stage != "unsealed":
            sealed(connection)
        if stage == "in part":
            account.enqueue(5)
        if stage == "overtaken":
            slow = stack.enter_context(psycopg.connect(database_url))
            Account(slow).enqueue(7)
            account.enqueue(8)
            sealed(connection)
            slow.commit()
        shift_transaction_ids(connection, shift)
        fit(connection)
        url = stack.enter_context(database(server_url, "restored_seals", "template0"))
        copy_by_dump(database_url, url)
        with connected(url) as new:
            Account(new).enqueue(1)  # before anybody notices
            for number in range(40):  # through the range of the restored ids
                Account(new).enqueue(number % 7)
                if number % 10 == 0:
                    sealed(new)
            assert sealed(new)
            result, findings = judged(new)
            assert findings == []
            assert new.execute("select max(epoch) from outbox.seal").fetchone() == (2,)
            assert result.unsealed == 0
            events = new.execute("select count(*) from outbox.event").fetchone()
            assert events == (result.events,)


def test_a_physical_restore_to_a_moment_in_the_past(
    connection: psycopg.Connection, database_url: str, server_url: str
) -> None:
    """Followers, seals and leases are as they were then and go on; what was lost is witnessed."""
    account = Account.owned(connection)
    kept = account.enqueue()
    first = sealed(connection)
    Follower(connection, "behind", back=None)
    with base_backup(server_url) as copy:
        account.enqueue()
        connection.execute("select pg_create_restore_point('then')")
        lost = account.enqueue()
        noted = first + sealed(connection)
        there = recover(copy, "then")
        with connected(renamed(there, urlsplit(database_url).path.removeprefix("/"))) as past:
            there_then = past.execute("select id from outbox.notification").fetchall()
            assert (kept,) in there_then
            assert (lost,) not in there_then
            went_on = Account(past)
            went_on.epoch = account.epoch
            went_on.release()
            assert went_on.acquire()
            assert went_on.epoch > account.epoch
            went_on.send(kept, "sent")
            with Follower(past, "behind").read() as events:
                positions = [event.position for event in events]
            assert positions == sorted(
                row[0] for row in past.execute("select position from outbox.event").fetchall()
            )
            assert sealed(past)
            assert judged(past)[1] == []
            assert sealed(past) == []
            witnessed = {
                int(number): bytes.fromhex(digest)
                for number, _, digest in (one.partition(":") for one in noted)
            }
            kinds = {(one.kind, one.seal) for one in judged(past, witnessed)[1]}
            assert kinds == {("not_witnessed", 2)}
