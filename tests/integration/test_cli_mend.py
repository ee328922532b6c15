"""`outbox cancel`, `requeue` and `resume`: what an operator changes."""

import getpass
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.cli_runner import Session, enqueue, run


def _states(connection: psycopg.Connection, *notifications: UUID) -> list[str]:
    rows: dict[UUID, str] = dict(
        connection.execute("select id, state from outbox.notification").fetchall()
    )
    return [rows[one] for one in notifications]


def _events(connection: psycopg.Connection, kind: str) -> list[dict[str, object]]:
    rows = connection.execute(
        "select data from outbox.event where type = %s order by position", (kind,)
    )
    return [data for (data,) in rows]


# cancel


def test_what_is_pending_is_cancelled(database_url: str, connection: psycopg.Connection) -> None:
    """Several at once, by beginnings of their ids, with a reason for the log."""
    one, two = enqueue(connection), enqueue(connection)
    ran = run("cancel", one, two.hex, "--reason", "sent by post", url=database_url)
    assert (ran.code, ran.out) == (0, "Cancelled 2 notifications.\n")
    assert _states(connection, one, two) == ["cancelled", "cancelled"]
    assert _events(connection, "cancelled") == [{"reason": "sent by post"}] * 2
    again = run("cancel", one, "--json", url=database_url)
    assert again.json == {"cancelled": [str(one)]}
    assert len(_events(connection, "cancelled")) == 2


def test_cancelling_what_was_sent_ends_with_5(
    database_url: str, connection: psycopg.Connection
) -> None:
    """All or none: the pending one beside it stays as it was."""
    sent, pending = enqueue(connection), enqueue(connection)
    Session(connection).end("sent", sent)
    ran = run("cancel", pending, sent, url=database_url)
    assert ran.code == 5
    assert ran.err.startswith(f"error: Not to be cancelled: {sent} is sent. Only what is pending")
    assert _states(connection, pending) == ["pending"]


def test_cancelling_what_is_not_there_ends_with_4(database_url: str) -> None:
    """An id that nobody has is not found."""
    assert run("cancel", uuid4(), url=database_url).code == 4


# requeue


def test_one_is_requeued_by_its_id(database_url: str, connection: psycopg.Connection) -> None:
    """With a time of its own to expire and a reason for the log."""
    one = enqueue(connection)
    Session(connection).end("rejected", one, error="400")
    ran = run("requeue", one, "--expires-in", "2h", "--reason", "fixed", url=database_url)
    assert (ran.code, ran.out) == (0, "Requeued 1 notification.\n")
    assert _states(connection, one) == ["pending"]
    (event,) = _events(connection, "requeued")
    assert event["reason"] == "fixed"
    row = connection.execute(
        "select round(extract(epoch from expires_at - changed_at)) from outbox.notification"
    ).fetchone()
    assert row == (7200,)


def test_requeuing_what_was_sent_ends_with_5(
    database_url: str, connection: psycopg.Connection
) -> None:
    """What arrived is not sent twice by mistake."""
    one = enqueue(connection)
    Session(connection).end("sent", one)
    ran = run("requeue", one, url=database_url)
    assert ran.code == 5
    assert ran.err.startswith(f"error: Not to be requeued: {one} is sent.")


def _dead(connection: psycopg.Connection) -> list[UUID]:
    """Make five that ended, of two accounts, for two reasons, and a sent one."""
    first = [enqueue(connection) for _ in range(4)]
    other = enqueue(connection, account="other")
    session = Session(connection)
    session.end("rejected", *first[:2], error="server returned error 400")
    session.end("rejected", first[2], error="not on WhatsApp")
    session.end("sent", first[3])
    Session(connection, "other").end("rejected", other, error="server returned error 400")
    return [*first, other]


def test_all_of_a_state_are_requeued(database_url: str, connection: psycopg.Connection) -> None:
    """In one statement, whatever their number, and nothing else."""
    dead = _dead(connection)
    ran = run("requeue", "--state", "rejected", "--yes", "--json", url=database_url)
    assert ran.json == {"requeued": 4}
    assert _states(connection, *dead) == ["pending"] * 3 + ["sent", "pending"]
    row = connection.execute(
        "select count(distinct xid) from outbox.event where type = 'requeued'"
    ).fetchone()
    assert row == (1,)


def test_requeuing_many_is_narrowed(database_url: str, connection: psycopg.Connection) -> None:
    """By account, and by a part of the last error."""
    dead = _dead(connection)
    options = ["--account", "main", "--error-like", "ERROR 400", "--yes"]
    ran = run("requeue", "--state", "dead", *options, url=database_url)
    assert ran.out == "Requeued 2 notifications.\n"
    assert _states(connection, *dead) == ["pending", "pending", "rejected", "sent", "rejected"]
    options = ["--error-like", "not%app", "--yes"]
    ran = run("requeue", "--state", "dead", *options, url=database_url)
    assert ran.out == "Requeued 1 notification.\n"


def test_requeuing_many_asks_first(database_url: str, connection: psycopg.Connection) -> None:
    """It says how many, on stderr, and anything but yes changes nothing."""
    dead = _dead(connection)
    ran = run("requeue", "--state", "rejected", url=database_url, stdin="n\n")
    assert ran.code == 130
    assert "Requeue 4 notifications?" in ran.err
    assert _states(connection, dead[0]) == ["rejected"]
    ran = run("requeue", "--state", "rejected", url=database_url, stdin="y\n")
    assert ran.code == 0
    assert ran.out.endswith("Requeued 4 notifications.\n")


def test_requeuing_nothing_asks_nothing(database_url: str) -> None:
    """There is nothing to confirm."""
    ran = run("requeue", "--state", "exhausted", url=database_url)
    assert (ran.code, ran.out) == (0, "Requeued 0 notifications.\n")


def test_requeuing_what_may_have_been_sent_says_so(
    database_url: str, connection: psycopg.Connection
) -> None:
    """An unknown outcome can be requeued, by somebody who knows what that means."""
    one = enqueue(connection, on_unknown="hold")
    Session(connection).end("unknown", one)
    ran = run("requeue", "--state", "unknown", url=database_url, stdin="y\n")
    assert "They may have been sent already." in ran.err
    assert _states(connection, one) == ["pending"]


def test_a_requeued_notification_wakes_its_owner(
    database_url: str, connection: psycopg.Connection
) -> None:
    """A parked owner is told; otherwise it would look half a minute later."""
    one = enqueue(connection)
    session = Session(connection)
    session.end("rejected", one)
    connection.execute("select outbox.park('main', %s, true)", (session.epoch,))
    connection.execute("listen outbox")
    assert run("requeue", "--state", "rejected", "--yes", url=database_url).code == 0
    assert [notify.payload for notify in connection.notifies(timeout=5, stop_after=1)] == ["main"]


def test_more_than_a_batch_is_requeued(database_url: str, connection: psycopg.Connection) -> None:
    """Batch by batch, each a transaction of its own, none twice."""
    connection.execute("""
        select outbox.enqueue_batch(jsonb_agg(jsonb_build_object(
          'recipient', '+44770090' || lpad(n::text, 4, '0'),
          'content', '{"kind": "text", "text": "hello"}'::jsonb)))
        from generate_series(1, 2100) n
    """)
    rows = connection.execute("select id from outbox.notification").fetchall()
    Session(connection).end("rejected", *(row[0] for row in rows))
    ran = run("requeue", "--state", "rejected", "--yes", "--json", url=database_url)
    assert ran.json == {"requeued": 2100}
    assert len(_events(connection, "requeued")) == 2100


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give ids, or --state"),
        (["0" * 32, "--state", "dead"], "Give ids, or --state"),
        (["0" * 32, "--account", "main"], "--account and --error-like go with --state"),
        (["--state", "sent"], "--state is out of rejected, expired, exhausted, cancelled"),
        (["--state", "unknown", "--state", "expired"], "--state is out of"),
        (["--state", "dead", "--expires-in", "x"], "--expires-in: 'x' is no duration"),
    ],
)
def test_what_cannot_be_requeued_so(database_url: str, arguments: list[str], sentence: str) -> None:
    """A choice that cannot be meant ends with 2."""
    ran = run("requeue", *arguments, url=database_url)
    assert ran.code == 2
    assert ran.err.startswith(f"error: {sentence}")


# resume


def test_an_account_that_was_halted_is_resumed(
    database_url: str, connection: psycopg.Connection
) -> None:
    """The log says that an operator did it."""
    Session(connection).transition("halted", "replaced twice")
    assert run("resume", "main", "--json", url=database_url).json == {"resumed": "main"}
    row = connection.execute("select state, failures, reason from outbox.connection").fetchone()
    assert row == ("waiting", 0, None)


def test_the_log_knows_who_was_at_the_command_line(
    database_url: str, connection: psycopg.Connection
) -> None:
    """What is cancelled, requeued and resumed there says under which name somebody did it."""
    one, many, gone = enqueue(connection), enqueue(connection), enqueue(connection)
    session = Session(connection)
    session.end("rejected", many)
    session.transition("halted", "replaced twice")
    for arguments in (
        ("cancel", one),
        ("cancel", gone),
        ("requeue", one),
        ("requeue", "--state", "rejected", "--yes"),
        ("resume", "main"),
    ):
        assert run(*arguments, url=database_url).code == 0
    rows = connection.execute(
        "select type, metadata from outbox.event"
        " where type in ('cancelled', 'requeued', 'resumed') order by position"
    ).fetchall()
    types = ["cancelled", "cancelled", "requeued", "requeued", "resumed"]
    assert rows == [(type_, {"person": getpass.getuser()}) for type_ in types]


def test_resuming_what_is_not_there_ends_with_4(database_url: str) -> None:
    """An account is known once a worker has owned it."""
    ran = run("resume", "nobody", url=database_url)
    assert ran.code == 4
    assert ran.err.startswith("error: No such account: nobody. Check its name")
