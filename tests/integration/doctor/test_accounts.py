"""`outbox doctor` on the accounts: leases, queues, connections, logins."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from outbox.log.login import record_login
from tests.cli_runner import Session, enqueue
from tests.doctoring import JID, doctor, line, owned


def test_a_lease_that_lapsed(database_url: str, connection: psycopg.Connection) -> None:
    """Whose it was, for how long, and what to run."""
    owned(connection)
    connection.execute("update outbox.lease set until = now() - interval '2 minutes'")
    verdict, seen, advice = line(database_url, "main: owner")
    assert verdict == "broken"
    assert seen.startswith("the lease of here (process 7) lapsed 2 min")
    assert advice == "run: outbox worker --account main"


def test_a_queue_that_nobody_owns(database_url: str, connection: psycopg.Connection) -> None:
    """Of an account that no worker here serves, too."""
    enqueue(connection, account="shop")
    verdict, seen, advice = line(database_url, "shop: owner")
    assert (verdict, seen) == ("broken", "no worker owns it, and 1 notification cannot be sent")
    assert advice == "run: outbox worker --account shop"


def test_a_worker_without_ffmpeg(database_url: str, connection: psycopg.Connection) -> None:
    """It is the owner's machine that counts."""
    owned(connection)
    connection.execute("update outbox.connection set lacks_ffmpeg = true")
    verdict, seen, _ = line(database_url, "main: owner")
    assert verdict == "warning"
    assert "has no ffmpeg" in seen


@pytest.mark.parametrize(
    ("transition", "verdict", "advice"),
    [
        ("connecting", "ok", ""),
        ("disconnected", "warning", "to hurry: outbox resume main"),
        ("logged_out", "broken", "outbox pair main"),
        ("banned", "broken", "lower the pace"),
        ("outdated", "broken", "upgrade neonize"),
    ],
)
def test_where_a_connection_stands(
    database_url: str,
    connection: psycopg.Connection,
    transition: str,
    verdict: str,
    advice: str,
) -> None:
    """What does not mend itself is broken, and each state has its own advice."""
    session = Session(connection)
    session.transition(transition, "because")
    found, _, said = line(database_url, "main: connection")
    assert found == verdict
    assert advice in said


def test_an_account_that_is_not_paired(database_url: str) -> None:
    """A worker here would have nothing to send as."""
    assert line(database_url, "main: login") == (
        "broken",
        "not paired: nothing can be sent",
        "run: outbox pair main",
    )


def test_an_account_whose_device_is_gone(database_url: str, connection: psycopg.Connection) -> None:
    """WhatsApp takes it out of the store; its number is not shown."""
    record_login(connection, "main", JID)
    ran, lines = doctor(database_url)
    assert lines["main: login"]["verdict"] == "broken"
    assert "its device is gone" in lines["main: login"]["seen"]
    assert "outbox pair main" in lines["main: login"]["advice"]
    assert "31650000001" not in ran.out


@pytest.mark.parametrize("column", ["throttled_until", "strangers_after"])
def test_an_account_that_whatsapp_holds_back(
    database_url: str, connection: psycopg.Connection, column: str
) -> None:
    """Until when is said."""
    owned(connection)
    connection.execute(
        sql.SQL(
            "update outbox.connection"
            " set bucket_full_at = now(), {} = now() + interval '90 minutes'"
        ).format(sql.Identifier(column))
    )
    verdict, seen, advice = line(database_url, "main: pace")
    assert verdict == "warning"
    assert "(in 1 h " in seen
    assert "outbox.policy" in advice


def test_what_waits_for_an_operator(database_url: str, connection: psycopg.Connection) -> None:
    """Held ones, those that wait for long, and those that ended without success today."""
    held, dead, old = (enqueue(connection, f"+44770090020{n}", on_unknown="hold") for n in range(3))
    session = owned(connection)
    session.end("rejected", dead, error="400")
    connection.execute(
        "update outbox.notification set enqueued_at = now() - interval '2 hours' where id = %s",
        (old,),
    )
    _, lines = doctor(database_url)
    assert "oldest was enqueued 2 h" in lines["main: queue"]["seen"]
    assert "--state pending" in lines["main: queue"]["advice"]
    assert lines["main: dead letters"]["seen"] == "1 rejected since yesterday; in all 1 rejected"
    assert "outbox requeue" in lines["main: dead letters"]["advice"]
    session.end("unknown", held)
    connection.execute(
        "update outbox.notification set changed_at = now() - interval '2 days' where id = %s",
        (dead,),
    )
    _, lines = doctor(database_url)
    assert lines["main: queue"]["verdict"] == "warning"
    assert "1 notification of unknown outcome held for you" in lines["main: queue"]["seen"]
    assert lines["main: dead letters"]["seen"] == "none since yesterday; in all 1 rejected"
    assert lines["main: dead letters"]["verdict"] == "ok"
