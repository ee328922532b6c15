"""Swapping rebuilt projections in: while everything goes on, and all of it or nothing."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from outbox.errors import UnknownNotification
from outbox.log import swap as swapping
from outbox.log.replay import differences, scratch
from outbox.log.replays import drop
from outbox.log.swap import SwapError, swap
from tests.account import HELLO, Account
from tests.migration.listing import listing
from tests.running import Running, until


def change_a_rule(connection: psycopg.Connection) -> None:
    """Let the priorities of notifications be a hundred more than their events say."""
    row = connection.execute(
        "select pg_get_functiondef('outbox.project_notification'::regproc)"
    ).fetchone()
    assert row
    old = "(a.data->>'priority')::smallint"
    assert row[0].count(old) == 1
    connection.execute(row[0].replace(old, f"({old} + 100)::smallint").encode())


def differing(connection: psycopg.Connection) -> list[object]:
    """Return the differences between a rebuild of now and the live projections."""
    with scratch(connection) as schema:
        return list(differences(connection, schema))


def schemas(connection: psycopg.Connection) -> list[str]:
    """Return the names of all schemas."""
    return [row[0] for row in connection.execute("select nspname from pg_namespace order by 1")]


def live_a_little(account: Account) -> list[UUID]:
    """Leave some notifications, a recipient with failures, and a connection."""
    sent, failed, waiting = (account.enqueue(n) for n in range(3))
    account.transition("connected")
    account.send(sent, "sent", "A")
    account.send(failed, "failed")
    return [sent, failed, waiting]


def priorities(connection: psycopg.Connection) -> set[int]:
    """Return the priorities that there are."""
    return {row[0] for row in connection.execute("select priority from outbox.notification")}


def test_a_changed_rule_reaches_the_rows_of_before(connection: psycopg.Connection) -> None:
    """Until the swap they are as the old rule made them, and differ from what the log says."""
    account = Account.owned(connection)
    ids = live_a_little(account)
    change_a_rule(connection)
    assert {one.key for one in differing(connection)} == {str(one) for one in ids}  # type: ignore[attr-defined]
    result = swap(connection)
    assert (result.caught_up, result.at_last, result.tries) == (0, 0, 1)
    assert priorities(connection) == {100}
    assert differing(connection) == []
    account.send(ids[2], "sent", "B")
    account.receive(("B", "delivered"))
    account.transition("disconnected")
    assert account.row(ids[2]).state == "delivered"
    assert differing(connection) == []


def test_a_swap_leaves_the_schema_as_it_was(connection: psycopg.Connection) -> None:
    """Names of indexes and constraints, storage options, owner, grants and views are the same."""
    role = f"outbox_test_{uuid4().hex[:8]}"
    connection.execute(f"create role {role}".encode())
    try:
        connection.execute(f"grant select on outbox.notification to {role}".encode())
        connection.execute(f"grant update (reason) on outbox.connection to {role}".encode())
        connection.execute(
            "create view outbox.waiting with (security_invoker = true) as"
            " select id, account from outbox.notification n"
            " join outbox.connection using (account) where open"
        )
        live_a_little(Account.owned(connection))
        facts = (
            "select c.relname, c.relowner, c.relacl, c.relpersistence, c.reloptions,"
            " (select array_agg(a.attacl::text order by attnum) from pg_attribute a"
            "  where a.attrelid = c.oid and a.attnum > 0)"
            " from pg_class c where relnamespace = 'outbox'::regnamespace and relkind in ('r', 'v')"
            " order by relname"
        )
        before = listing(connection), connection.execute(facts).fetchall(), schemas(connection)
        files = "select relfilenode from pg_class where oid = 'outbox.notification'::regclass"
        file = connection.execute(files).fetchone()
        swap(connection)
        assert listing(connection) == before[0]
        assert connection.execute(facts).fetchall() == before[1]
        assert schemas(connection) == before[2]
        assert connection.execute(files).fetchone() != file
        row = connection.execute("select count(*) from outbox.waiting").fetchone()
        assert row == (2,)
    finally:
        connection.execute(f"drop owned by {role}".encode())
        connection.execute(f"drop role {role}".encode())


def test_what_hangs_on_the_old_tables_stops_a_swap(connection: psycopg.Connection) -> None:
    """What cannot be made anew is named, and nothing has happened."""
    live_a_little(Account.owned(connection))
    connection.execute(
        "create function outbox.of(n outbox.notification) returns text language sql return n.state"
    )
    before = listing(connection), schemas(connection)
    with pytest.raises(SwapError, match=r"function outbox\.of"):
        swap(connection)
    assert (listing(connection), schemas(connection)) == before
    assert differing(connection) == []


def test_a_swap_gives_up_when_there_is_no_moment_for_it(
    connection: psycopg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that stays open is not waited for: the server ends each try by itself."""
    monkeypatch.setattr(swapping, "_TRIES", 2)
    live_a_little(Account.owned(connection))
    before = schemas(connection)
    with psycopg.connect(database_url) as reader:
        reader.execute("select from outbox.notification")
        with pytest.raises(SwapError, match="in 2 tries there was no moment"):
            swap(connection)
    assert schemas(connection) == before
    assert swap(connection).tries == 1


def test_rules_that_change_during_a_rebuild_stop_it(
    connection: psycopg.Connection, database_url: str
) -> None:
    """Half of the rows would be as the old rule made them."""
    live_a_little(Account.owned(connection))

    def disturb(_done: int, _last: int) -> None:
        with psycopg.connect(database_url, autocommit=True) as other:
            change_a_rule(other)

    with pytest.raises(SwapError, match="their rules have changed"):
        swap(connection, disturb)
    assert not [one for one in schemas(connection) if one.startswith("outbox_")]


def test_an_interrupted_swap_leaves_nothing_behind(connection: psycopg.Connection) -> None:
    """Neither a schema nor the lock that keeps other swaps away."""
    live_a_little(Account.owned(connection))
    before = schemas(connection)

    def interrupt(_done: int, _last: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swap(connection, interrupt)
    assert schemas(connection) == before
    swap(connection)


def test_of_two_swaps_one_is_refused(connection: psycopg.Connection, database_url: str) -> None:
    """Each would put its tables in the place of the other's; so it is after one was killed."""
    live_a_little(Account.owned(connection))

    def second(_done: int, _last: int) -> None:
        with (
            psycopg.connect(database_url, autocommit=True) as other,
            pytest.raises(SwapError, match="Another swap"),
        ):
            swap(other)

    swap(connection, second)
    note = '{"made_at": "2026-01-01T00:00:00Z"}'
    connection.execute("select outbox.begin_replay('outbox_swap', %s)", (note,))
    with pytest.raises(SwapError, match="--drop outbox_swap"):
        swap(connection)
    assert drop(connection, "outbox_swap")
    swap(connection)


def test_what_is_appended_meanwhile_is_caught_up_with(
    connection: psycopg.Connection, database_url: str
) -> None:
    """Also what was appended before the rebuild began and committed after."""
    account = Account.owned(connection)
    live_a_little(account)
    with psycopg.connect(database_url) as slow:
        Account(slow).enqueue(50)

        def go_on(_done: int, _last: int) -> None:
            slow.commit()
            account.send(account.enqueue(51), "failed")

        result = swap(connection, go_on)
    assert result.caught_up == 4
    assert differing(connection) == []
    row = connection.execute("select count(*) from outbox.notification").fetchone()
    assert row == (5,)


def test_a_transaction_with_an_older_snapshot_can_append(
    connection: psycopg.Connection, database_url: str
) -> None:
    """It does not see the new rows, so what needs them is refused, and nothing goes wrong."""
    waiting = live_a_little(Account.owned(connection))[2]
    with psycopg.connect(database_url) as caller:
        caller.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        caller.execute("select from outbox.policy")
        swap(connection)
        with pytest.raises(UnknownNotification), caller.transaction():
            Account(caller).cancel(waiting)
        Account(caller).enqueue(9)
        caller.commit()
        Account(caller).cancel(waiting)
    assert differing(connection) == []


class Callers:
    """Connections that enqueue, one notification a commit and some in long transactions."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stopped = threading.Event()
        self.accepted: list[UUID] = []
        self.errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._enqueue, args=(n,)) for n in range(3)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop, and wait until all have committed."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _enqueue(self, nth: int) -> None:
        try:
            with psycopg.connect(self._url, autocommit=True, prepare_threshold=1) as connection:
                while not self._stopped.wait(0.002):
                    with connection.transaction():
                        row = connection.execute(
                            "select outbox.enqueue(%s, %s)",
                            (
                                f"+4477009{nth * 1000 + len(self.accepted) % 50:05}",
                                json.dumps(HELLO),
                            ),
                        ).fetchone()
                        if nth == 2:  # somebody's transaction, in which there is more to do
                            time.sleep(0.05)
                    assert row
                    self.accepted.append(row[0])
        except BaseException as error:  # noqa: BLE001 - whatever it was, the test wants to know
            self.errors.append(error)


def test_a_changed_rule_swapped_in_under_load(
    connection: psycopg.Connection, database_url: str, tmp_path: Path
) -> None:
    """Nothing is lost or doubled, and the worker that delivers from memory notices nothing."""
    connection.execute("update outbox.policy set pace = 1000000, burst = 1000")
    environment = {"DATABASE_URL": database_url, "OUTBOX_SESSION": "simulated:"}
    running = Running(tmp_path / "worker.log", ["worker"], environment)
    callers = Callers(database_url)
    try:
        running.wait_for("owns the account")
        until(lambda: len(callers.accepted) > 200, "notifications")
        change_a_rule(connection)
        began = len(callers.accepted)
        results = [swap(connection), swap(connection)]
        until(lambda: len(callers.accepted) > began + 200, "notifications")
        callers.stop()
        assert callers.errors == []
        left = "select count(*) from outbox.notification where open"
        until(lambda: connection.execute(left).fetchone() == (0,), "an empty queue")
        assert differing(connection) == []
        running.process.terminate()
        running.process.wait(30)
    finally:
        callers.stop()
        running.end()
    assert all(result.caught_up + result.at_last > 0 for result in results)
    rows = connection.execute(
        "select stream, count(*) filter (where type = 'enqueued'),"
        " count(*) filter (where type = 'attempt_started'), count(*) filter (where type = 'sent')"
        " from outbox.event where stream <> outbox.connection_stream('main') group by stream"
    ).fetchall()
    assert {row[0] for row in rows} == set(callers.accepted)
    assert {row[1:] for row in rows} == {(1, 1, 1)}
    assert priorities(connection) == {100}
    owners = connection.execute(
        "select count(*) from outbox.event where type = 'lease_acquired'"
    ).fetchone()
    assert owners == (1,)


def test_a_swap_that_waits_for_an_enqueue_does_not_stand_in_its_way(
    connection: psycopg.Connection, database_url: str
) -> None:
    """Who enqueues reads who is suppressed before it appends; so does the swap take its locks."""
    held = """
        select bool_or(m.granted) from pg_locks w left join pg_locks m
          on m.pid = w.pid and m.mode = w.mode and m.relation = 'outbox.notification'::regclass
        where w.relation = 'outbox.suppression'::regclass and not w.granted
        having count(*) > 0
    """
    with psycopg.connect(database_url) as caller, ThreadPoolExecutor(1) as thread:
        caller.execute("select from outbox.suppression")
        swapping = thread.submit(swap, connection)
        found: list[object] = []
        with psycopg.connect(database_url, autocommit=True) as looker:

            def waits() -> list[object]:
                found.extend(looker.execute(held))
                return found

            until(waits, "a swap that waits")
        caller.rollback()
        swapping.result()
    assert found == [(None,)]
