"""`outbox status`, `list` and `show`: what an operator reads."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from tests.account import Account
from tests.cli_runner import Session, enqueue, run


def _ids(url: str, *arguments: object) -> list[str]:
    ran = run("list", "--json", *arguments, url=url)
    assert ran.code == 0, ran.err
    return [one["id"] for one in ran.json["notifications"]]


# status


def test_status_of_an_empty_outbox(database_url: str) -> None:
    """There is something to read even before there is anything."""
    ran = run("status", url=database_url)
    assert ran.code == 0
    assert "No account yet" in ran.out
    assert "restore epoch 1" in ran.out


def test_status_calls_out_a_queue_that_nobody_owns(
    database_url: str, connection: psycopg.Connection
) -> None:
    """It is the commonest mistake, so the sentence says what to run."""
    enqueue(connection)
    ran = run("status", url=database_url)
    assert "1 pending" in ran.out
    assert (
        "! main: 1 notification waits and no worker owns the account; "
        "run: outbox worker --account main" in ran.out
    )


def test_status_as_json(database_url: str, connection: psycopg.Connection) -> None:
    """Every count is that of the projections, and the owner is named."""
    sent, failed, rejected, unknown, held, _ = [
        enqueue(connection, f"+44770090010{n}", on_unknown="hold" if n == 4 else "resend")
        for n in range(6)
    ]
    enqueue(connection, send_at=datetime.now(UTC) + timedelta(hours=1))
    session = Session(connection)
    session.transition("connected")
    session.end("sent", sent)
    session.end("failed", failed, error="503")
    session.end("rejected", rejected, error="400")
    session.end("unknown", unknown, held)
    ran = run("status", "--json", url=database_url)
    (account,) = ran.json["accounts"]
    expected = {
        "account": "main",
        "state": "connected",
        "owned": True,
        "lapsed": False,
        "epoch": 1,
        "worker": {"host": "here", "process": 7},
        "pending": 3,
        "due": 1,
        "sending": 0,
        "unknown": 2,
        "held": 1,
        "waiting_recipients": 1,
        "dead": {"rejected": 1},
    }
    assert {name: account[name] for name in expected} == expected
    assert account["last_sent_at"] is not None
    assert account["next_due_at"] is not None
    assert ran.json["database"]["restore_epoch"] == 1
    assert ran.json["database"]["partitions"] >= 4
    (warning,) = ran.json["attention"]
    assert warning.startswith("main: 1 notification of unknown outcome held for you")


def test_status_names_a_lease_that_nobody_rescued(
    database_url: str, connection: psycopg.Connection
) -> None:
    """A worker that died and was not replaced is told from one that stopped."""
    enqueue(connection)
    Session(connection)
    connection.execute("update outbox.lease set until = now() - interval '2 minutes'")
    ran = run("status", url=database_url)
    assert "here (process 7): lease lapsed 2 min ago" in ran.out
    assert "! main: the lease of here (process 7) lapsed 2 min" in ran.out


@pytest.mark.parametrize(
    ("transition", "words"),
    [
        ("disconnected", "connection lost, next try at"),
        ("logged_out", "logged out, has to be paired again"),
        ("outdated", "WhatsApp wants a newer client"),
        ("halted", "halted: because"),
        ("banned", "banned: because"),
    ],
)
def test_status_says_in_plain_words_where_a_connection_stands(
    database_url: str, connection: psycopg.Connection, transition: str, words: str
) -> None:
    """What an operator has to do is said where the reason is."""
    session = Session(connection)
    if transition == "halted":  # what nobody understands is tried once more
        session.transition("halted", "because")
        session.transition("connecting")
    session.transition(transition, "because")
    ran = run("status", url=database_url)
    assert words in ran.out
    assert ("outbox resume main" in ran.out) is (transition not in {"disconnected", "logged_out"})
    assert ("outbox pair main" in ran.out) is (transition == "logged_out")


def test_status_says_why_nothing_is_sent_right_now(
    database_url: str, connection: psycopg.Connection
) -> None:
    """The pace, and who may still be written to for the first time."""
    account = Account(connection)
    account.policy(pace=0.5, burst=1, strangers_a_day=2)
    assert account.acquire()
    account.transition("connected")
    first, second = account.enqueue(1), account.enqueue(2)
    account.start(first)
    assert "strangers" not in run("status", url=database_url).out
    account.start_paced(second)
    ran = run("status", url=database_url)
    assert re.search(r"next send in 1 min \d+ s: 0.5\s+messages a minute|in 2 min", ran.out)
    assert "strangers: 1 of 2" in ran.out
    assert "!" not in ran.out
    (one,) = run("status", "--json", url=database_url).json["accounts"]
    expected = {
        "paced": True,
        "next_send_reason": "pace",
        "strangers_left": 1,
        "strangers_a_day": 2,
        "next_stranger_reason": None,
        "messages_a_minute": 0.5,
    }
    assert {name: one[name] for name in expected} == expected


def test_status_calls_out_what_whatsapp_holds_against_an_account(
    database_url: str, connection: psycopg.Connection
) -> None:
    """Throttled, or to write to nobody new: until when, and for what."""
    account = Account.owned(connection)
    account.policy(burst=100)
    throttled, restricted = account.enqueue(1), account.enqueue(2)
    account.start_paced(throttled, restricted)
    account.record(throttled, "throttled", error="429")
    account.record(restricted, "restricted", error="463")
    ran = run("status", url=database_url)
    assert "! main: throttled by WhatsApp until " in ran.out
    assert "! main: no strangers until " in ran.out
    assert "WhatsApp refused one (463)" in ran.out


def test_status_reads_no_history(database_url: str, connection: psycopg.Connection) -> None:
    """What was sent costs nothing: no plan reads the notifications or the log from end to end."""
    connection.execute("""
        select outbox.enqueue_batch(jsonb_agg(jsonb_build_object(
          'recipient', '+44770090' || lpad(n::text, 4, '0'),
          'content', '{"kind": "text", "text": "hello"}'::jsonb)))
        from generate_series(1, 3000) n
    """)
    rows = connection.execute("select id from outbox.notification").fetchall()
    Session(connection).end("sent", *(row[0] for row in rows))
    connection.execute("analyze")
    from outbox.log.database import query  # noqa: PLC0415

    for name in ("status_accounts", "status_last_sent"):
        statement = query(name).replace("%(events)s", "10")
        plan = "\n".join(
            line for (line,) in connection.execute(f"explain {statement}".encode()).fetchall()
        )
        assert "Seq Scan on notification" not in plan
        for month in ("event_20", "on event"):
            assert not any("Seq Scan" in line and month in line for line in plan.splitlines())


# list


def test_the_newest_come_first_in_pages(database_url: str, connection: psycopg.Connection) -> None:
    """A page goes on behind the last id of the one before, whatever came meanwhile."""
    ids = [str(enqueue(connection)) for _ in range(5)]
    ran = run("list", "--limit", 2, "--json", url=database_url)
    assert [one["id"] for one in ran.json["notifications"]] == [ids[4], ids[3]]
    assert ran.json["next"] == ids[3]
    enqueue(connection)
    last = run("list", "--limit", 3, "--after", ids[3], "--json", url=database_url)
    assert [one["id"] for one in last.json["notifications"]] == [ids[2], ids[1], ids[0]]
    assert last.json["next"] is None


def test_a_list_can_be_narrowed(database_url: str, connection: psycopg.Connection) -> None:
    """Each filter alone finds its own, and together they find what fits all."""
    sent, dead = enqueue(connection), enqueue(connection, "+447700900124")
    other = enqueue(connection, account="other")
    connection.execute("select pg_sleep(0.01)")
    group = enqueue(connection, "123@g.us")
    session = Session(connection)
    session.end("sent", sent)
    session.end("rejected", dead, error="server returned error 400")
    assert _ids(database_url, "--state", "sent") == [str(sent)]
    assert _ids(database_url, "--state", "dead") == [str(dead)]
    assert _ids(database_url, "--state", "open") == [str(group), str(other)]
    assert _ids(database_url, "--state", "sent", "--state", "rejected") == [str(dead), str(sent)]
    assert _ids(database_url, "--account", "other") == [str(other)]
    assert _ids(database_url, "--to", "+44 7700 900124") == [str(dead)]
    assert _ids(database_url, "--to", "123@g.us") == [str(group)]
    assert _ids(database_url, "--to", "+447700900999") == []
    assert _ids(database_url, "--kind", "poll") == []
    assert len(_ids(database_url, "--kind", "text", "--since", "1h")) == 4
    assert _ids(database_url, "--until", "1h") == []
    row = connection.execute(
        "select enqueued_at from outbox.notification where id = %s", (group,)
    ).fetchone()
    assert row is not None
    assert _ids(database_url, "--since", row[0].isoformat()) == [str(group)]
    assert str(group) not in _ids(database_url, "--until", row[0].isoformat())


def test_a_list_shows_whole_ids_and_why(database_url: str, connection: psycopg.Connection) -> None:
    """An id is never cut, and what went wrong stands below it."""
    dead = enqueue(connection)
    Session(connection).end("rejected", dead, error="server returned error 400")
    ran = run("list", url=database_url)
    assert str(dead) in ran.out
    assert "+447700900123" in ran.out
    assert "server returned error 400" in ran.out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--state", "lost"], 2, "There is no state 'lost': the states are pending, sending"),
        (["--to", "0123"], 2, "--to '0123' is neither a number"),
        (["--since", "never"], 2, "--since: 'never' is neither a time"),
        (["--limit", "0"], 2, "Invalid value for '--limit'"),
        (["--after", "0" * 32], 4, "No such notification: 000"),
    ],
)
def test_what_a_list_cannot_be_narrowed_by(
    database_url: str, arguments: list[str], code: int, sentence: str
) -> None:
    """A filter that cannot be meant is refused, not ignored."""
    ran = run("list", *arguments, url=database_url)
    assert ran.code == code
    assert ran.err.startswith(f"error: {sentence}")


# show


def test_show_tells_the_whole_story(database_url: str, connection: psycopg.Connection) -> None:
    """Every event is told, with errors, message ids and the worker of its epoch."""
    one = enqueue(connection, metadata='{"order": 7}', retry_after="0 seconds")
    session = Session(connection)
    session.end("failed", one, error="server returned error 503")
    session.end("sent", one)
    ran = run("show", one, url=database_url)
    assert ran.code == 0
    for said in (
        "+447700900123 (447700900123@s.whatsapp.net) by account main",
        "text: “hello”",
        "sent, the server has acknowledged it",
        'accepted, metadata {"order": 7}',
        "attempt 1 begins  [here (process 7), epoch 1]",
        "attempt 1 failed: server returned error 503; retry at",
        f"attempt 2 acknowledged by the server, message id 3EB0{one.hex[-12:].upper()}",
    ):
        assert said in ran.out


def test_show_as_json(database_url: str, connection: psycopg.Connection) -> None:
    """The events are those of the log, in the order of their versions."""
    one = enqueue(connection)
    Session(connection).end("sent", one)
    shown = run("show", one, "--json", url=database_url).json
    assert shown["id"] == str(one)
    assert shown["body"] == {"kind": "text", "text": "hello"}
    assert [event["type"] for event in shown["events"]] == ["enqueued", "attempt_started", "sent"]
    assert [event["version"] for event in shown["events"]] == [1, 2, 3]
    assert shown["events"][2]["worker"] == {"host": "here", "process": 7}


@pytest.mark.parametrize(
    ("outcome", "options", "next_step"),
    [
        ("failed", {}, "next attempt at"),
        ("unknown", {}, "a receipt settles it; without one it is sent again after 1 min"),
        ("unknown", {"on_unknown": "hold"}, "held for you: outbox requeue"),
        ("rejected", {}, "nothing by itself; to try again: outbox requeue"),
        ("not_sent", {}, "next attempt as soon as its turn comes; expires"),
    ],
)
def test_show_says_what_comes_next(
    database_url: str,
    connection: psycopg.Connection,
    outcome: str,
    options: dict[str, str],
    next_step: str,
) -> None:
    """The state alone does not say whether anything will happen by itself."""
    one = enqueue(connection, **options)
    session = Session(connection)
    session.transition("connected")
    session.end(outcome, one, error="because")
    assert next_step in run("show", one, url=database_url).out


def test_show_says_what_a_pending_one_waits_for(
    database_url: str, connection: psycopg.Connection
) -> None:
    """No worker, no connection, its time, its turn: in this order."""
    one = enqueue(connection, send_at=datetime.now(UTC) + timedelta(hours=1))
    assert "waits for a worker: none owns account main" in run("show", one, url=database_url).out
    session = Session(connection)
    assert "waits for the connection of account main" in run("show", one, url=database_url).out
    session.transition("connected")
    assert "next attempt at" in run("show", one, url=database_url).out


def test_the_beginning_of_an_id_is_enough(
    database_url: str, connection: psycopg.Connection
) -> None:
    """If it is one notification's alone; hyphens and case do not matter."""
    one = enqueue(connection)
    for start in (one.hex[:20], str(one)[:25].upper(), str(one)):
        assert run("show", start, "--json", url=database_url).json["id"] == str(one)


def test_an_id_that_is_not_there_ends_with_4(
    database_url: str, connection: psycopg.Connection
) -> None:
    """None, or several, is not found; several are named."""
    one, two = enqueue(connection), enqueue(connection)
    ran = run("show", UUID(int=0), url=database_url)
    assert ran.code == 4
    assert ran.err.startswith(f"error: No such notification: {UUID(int=0)}. Check the id")
    assert run("show", "hello", url=database_url).code == 4
    ran = run("show", one.hex[:8], url=database_url)
    assert ran.code == 4
    assert f"Several ids begin with {one.hex[:8]}: {one}, {two}" in ran.err


def test_an_album_is_described(database_url: str, connection: psycopg.Connection) -> None:
    """By how many it has, their size and what they say, so long as all are stored."""
    items = []
    for caption, size in (("", 700), ("The garden", 800)):
        row = connection.execute(
            "select outbox.store_media(%s, 'image/png')", (b"x" * size,)
        ).fetchone()
        assert row is not None
        items.append({"media": row[0], "caption": caption})
    one = Account(connection).enqueue(content={"kind": "album", "items": items})
    assert "album of 2, 1.5 KiB: “The garden”" in run("show", one, url=database_url).out
    assert "album of 2" in run("list", url=database_url).out
    listed = run("list", "--kind", "album", "--json", url=database_url).json["notifications"]
    assert [(each["kind"], each["items"]) for each in listed] == [("album", 2)]
    connection.execute("delete from outbox.media where size = 700")
    assert "album of 2 (of its media some were erased)" in run("show", one, url=database_url).out


def test_what_was_erased_is_said_to_be(database_url: str, connection: psycopg.Connection) -> None:
    """Forgetting a recipient leaves the story without the person."""
    one = enqueue(connection)
    connection.execute("delete from outbox.identity")
    connection.execute("delete from outbox.content")
    shown = run("show", one, url=database_url)
    assert shown.code == 0
    assert "(erased)" in shown.out
    assert "(erased)" in run("list", url=database_url).out
