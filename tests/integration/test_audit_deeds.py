"""audit.deeds, audit.deed and audit.lease: who did what, and which worker owned an account."""

import json

import psycopg
import pytest

from tests.account import Account
from tests.day import Day

pytestmark = pytest.mark.undone


def test_deeds_name_token_person_and_worker(connection: psycopg.Connection) -> None:
    """What the database does by itself, and what was asked for in SQL, is nobody's."""
    account = Account(connection)
    account.acquire(dyno="worker.1")
    by_token = account.enqueue(1, metadata={"token": "shop"})
    by_person, by_sql = account.enqueue(2), account.enqueue(3)
    connection.execute(
        "select outbox.cancel(%s, null, %s)", (by_person, json.dumps({"person": "ada"}))
    )
    account.cancel(by_sql)
    account.send(by_token, "sent", "A")
    account.transition("connected")
    account.release()
    rows = connection.execute(
        "select kind, who, type, events from audit.deeds('-infinity') order by kind, type"
    ).fetchall()
    assert rows == [
        ("person", "ada", "cancelled", 1),
        ("token", "shop", "enqueued", 1),
        ("worker", "worker.1", "attempt_started", 1),
        ("worker", "worker.1", "connected", 1),
        ("worker", "worker.1", "lease_acquired", 1),
        ("worker", "worker.1", "lease_released", 1),
        ("worker", "worker.1", "sent", 1),
        (None, None, "cancelled", 1),
        (None, None, "enqueued", 2),
    ]


def test_a_caller_s_own_epoch_names_no_worker(connection: psycopg.Connection) -> None:
    """The metadata of what is enqueued are the caller's; an epoch in them is none of a lease."""
    account = Account(connection)
    account.acquire(dyno="worker.1")
    account.enqueue(1, metadata={"epoch": account.epoch})
    rows = connection.execute("select kind, who from audit.deed where type = 'enqueued'").fetchall()
    assert rows == [(None, None)]


def test_workers_of_one_epoch_are_told_apart_by_account(connection: psycopg.Connection) -> None:
    """Epochs are counted account by account."""
    for first, name, dyno in ((1, "main", "worker.1"), (1_000, "other", "worker.2")):
        day = Day(connection, name, first=first)
        day.own("08:00", dyno)
        day.send("09:01", day.enqueue("09:00", "1", "hello"), "09:02", "A")
    rows = connection.execute(
        "select account, who from audit.deed where type = 'sent' order by account"
    ).fetchall()
    assert rows == [("main", "worker.1"), ("other", "worker.2")]
    rows = connection.execute(
        "select distinct account from audit.deeds('-infinity', for_account => 'other')"
    ).fetchall()
    assert rows == [("other",)]


def test_leases_tell_who_owned_an_account(connection: psycopg.Connection) -> None:
    """From when to when, and whether the lease was given back or lost; the last one lasts."""
    day = Day(connection)
    day.own("08:00", "web.1", "v1")
    day.link("09:00", "lease_released", epoch=1)
    day.own("09:10", "web.1", "v2")
    day.link("10:00", "lease_lost", epoch=3)
    day.epoch += 1
    day.own("10:05", "worker.1", "v2")
    rows = connection.execute(
        "select epoch, worker, release, to_char(ended_at at time zone 'UTC', 'HH24:MI'), ended_by"
        " from audit.lease order by epoch"
    ).fetchall()
    assert rows == [
        (1, "web.1", "v1", "09:00", "lease_released"),
        (2, "web.1", "v2", "10:00", "lease_lost"),
        (4, "worker.1", "v2", None, None),
    ]
