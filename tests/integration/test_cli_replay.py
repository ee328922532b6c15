"""`outbox replay`: the past kept in a schema, the projections checked, walked through, rebuilt."""

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from uuid import UUID

import psycopg
import pytest

from tests.account import Account
from tests.cli_runner import run
from tests.running import PATIENCE, until
from tests.terminal import Terminal

_HEARING = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from outbox.cli import main
main()
"""
"""The command line, which SIGINT interrupts."""


def now(connection: psycopg.Connection) -> datetime:
    """Return the moment by the database's clock."""
    row = connection.execute("select clock_timestamp()").fetchone()
    assert row
    return datetime.fromisoformat(str(row[0]))


def schemas(connection: psycopg.Connection) -> set[str]:
    """Return the names of all schemas."""
    return {row[0] for row in connection.execute("select nspname from pg_namespace")}


def story(connection: psycopg.Connection) -> UUID:
    """Leave a notification that failed and was sent then, and one that waits."""
    account = Account.owned(connection)
    account.transition("connected")
    first = account.enqueue(1)
    account.send(first, "failed")
    account.send(first, "sent", "A")
    account.enqueue(2)
    return first


def test_the_past_is_kept(database_url: str, connection: psycopg.Connection) -> None:
    """Open to any query, with the indexes of the live one, until it is dropped by its name."""
    account = Account.owned(connection)
    first = account.enqueue(1)
    then = now(connection)
    account.send(first, "sent", "A")
    ran = run("replay", "--until", then.isoformat(), "--name", "noon", url=database_url)
    assert ran.code == 0
    assert ran.out.startswith("noon: the outbox as it was at ")
    assert "1 notification: 1 pending" in ran.out
    assert "outbox replay --drop noon" in ran.out
    assert connection.execute("select id, state from noon.notification").fetchall() == [
        (first, "pending")
    ]
    indexes = "select indexname from pg_indexes where schemaname = %s and tablename <> 'event'"
    names = {row[0] for row in connection.execute(indexes, ("noon",))}
    assert names > {"notification_pkey", "notification_ready", "recipient_waiting"}
    (listed,) = run("replay", "--list", "--json", url=database_url).json
    assert (listed["schema"], datetime.fromisoformat(listed["until"])) == ("noon", then)
    assert "noon: as it was at" in run("replay", "--list", url=database_url).out
    ran = run("replay", "--drop", "noon", url=database_url)
    assert (ran.code, ran.out) == (0, "Dropped noon.\n")
    assert "noon" not in schemas(connection)
    assert "No replay is kept" in run("replay", "--list", url=database_url).out


def test_the_past_as_json(database_url: str, connection: psycopg.Connection) -> None:
    """The schema's name is chosen where none is given."""
    story(connection)
    ran = run("replay", "--until", "0s", "--json", url=database_url)
    assert ran.code == 0
    assert ran.json["schema"] in schemas(connection)
    assert ran.json["notifications"] == {"pending": 1, "sent": 1}
    assert (ran.json["recipients"], ran.json["connections"]) == (1, {"main": "connected"})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--until", "noonish"], "--until: 'noonish' is neither a time like"),
        (["--until", "2999-01-01"], "--until 2999-01-01 lies ahead: nothing is known of it yet"),
        (["--until", "1h", "--name", "No-on"], "'No-on' cannot be the schema's name"),
        (["--until", "1h", "--name", "pg_noon"], "'pg_noon' cannot be the schema's name"),
        (["--until", "1h", "--name", "whatsapp"], "There is a schema whatsapp already"),
        (["--check", "--until", "1h"], "not --until and --check"),
        ([], "Give one of --until, --check, --step, --swap, --incident, --list, --drop, not none"),
        (["--check", "--since", "1h"], "--check takes no --since"),
        (["--swap", "0123abcd"], "--swap takes no ID"),
        (["--step"], "give --json, which writes each event with the state after it"),
    ],
)
def test_what_cannot_be(database_url: str, arguments: list[str], sentence: str) -> None:
    """It is said in one sentence, and ends with 2."""
    ran = run("replay", *arguments, url=database_url)
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err
    assert ran.err.startswith("error: ")


@pytest.mark.parametrize("schema", ["outbox", "public", "nowhere"])
def test_nothing_else_is_dropped(
    database_url: str, connection: psycopg.Connection, schema: str
) -> None:
    """What is no replay stays, whatever its name."""
    before = schemas(connection)
    ran = run("replay", "--drop", schema, url=database_url)
    assert ran.code == 4
    assert f"There is no replay {schema}" in ran.err
    assert schemas(connection) == before


@pytest.mark.parametrize("mode", [["--until", "0s"], ["--check"], ["--swap"]])
def test_an_interrupted_rebuild_leaves_nothing_behind(
    database_url: str, connection: psycopg.Connection, mode: list[str]
) -> None:
    """Ctrl-C in the middle of the log: no schema is there, and no session of it."""
    story(connection)
    before = schemas(connection)
    row = connection.execute("select tableoid::regclass::text from outbox.event").fetchone()
    assert row
    waiting = (
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and application_name = 'outbox cli' and wait_event_type = 'Lock'"
    )
    with psycopg.connect(database_url) as other:
        other.execute(f"lock table {row[0]} in access exclusive mode".encode())
        process = subprocess.Popen(
            # A shell that has put the tests into the background lets them ignore it.
            [
                *(sys.executable, "-c", _HEARING, "replay"),
                *mode,
            ],
            env={**os.environ, "DATABASE_URL": database_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                until(lambda: connection.execute(waiting).fetchone() == (1,), "a rebuild")
                process.send_signal(signal.SIGINT)
                assert process.wait(PATIENCE) == 130
                assert process.stderr
                assert "Traceback" not in process.stderr.read()
            finally:
                process.kill()
    assert schemas(connection) == before
    assert run("replay", "--swap", url=database_url).code == 0


def test_the_projections_are_what_the_log_says(
    database_url: str, connection: psycopg.Connection
) -> None:
    """Nothing differs, and nothing is left behind."""
    story(connection)
    before = schemas(connection)
    ran = run("replay", "--check", url=database_url)
    assert (ran.code, ran.err) == (0, "")
    assert (
        ran.out
        == "The projections are what the log says: 2 notifications, 1 recipient, 1 connection.\n"
    )
    assert run("replay", "--check", "--json", url=database_url).json == {
        "rows": {"notification": 2, "recipient": 1, "connection": 1},
        "differences": [],
    }
    assert schemas(connection) == before


def test_a_row_changed_by_hand_is_named(database_url: str, connection: psycopg.Connection) -> None:
    """With the columns that differ and both values; the exit code says that something is wrong."""
    changed = story(connection)
    connection.execute(
        "update outbox.notification set priority = 9, last_error = 'mine' where id = %s", (changed,)
    )
    connection.execute("delete from outbox.recipient")
    connection.execute("update outbox.connection set account = 'invented'")
    ran = run("replay", "--check", url=database_url)
    assert ran.code == 13
    assert (
        f"notification {changed} of account main: priority is 9, by the log 0; "
        f"last_error is mine, by the log null" in ran.out
    )
    assert "of account main is missing: the log has it" in ran.out
    assert "connection invented is not from the log: it has no such connection" in ran.out
    assert "The projections are not what the log says: 4 rows differ" in ran.out
    ran = run("replay", "--check", "--json", url=database_url)
    assert ran.code == 13
    found = {(one["projection"], one["key"]): one for one in ran.json["differences"]}
    assert len(found) == 4
    assert found["notification", str(changed)] == {
        "projection": "notification",
        "key": str(changed),
        "account": "main",
        "live": True,
        "replayed": True,
        "columns": {
            "priority": {"live": 9, "replayed": 0},
            "last_error": {"live": "mine", "replayed": None},
        },
    }
    assert found["connection", "invented"]["replayed"] is False


def test_a_swap_mends_what_was_changed_by_hand(
    database_url: str, connection: psycopg.Connection
) -> None:
    """The log is what counts: the rows are as it says again."""
    changed = story(connection)
    connection.execute("update outbox.notification set priority = 9 where id = %s", (changed,))
    ran = run("replay", "--swap", "--json", url=database_url)
    assert (ran.code, ran.json["tries"], ran.json["caught_up"]) == (0, 1, 0)
    assert run("replay", "--check", url=database_url).code == 0
    ran = run("replay", "--swap", url=database_url)
    assert "The projections are rebuilt and in place: 8 positions replayed" in ran.out


def test_each_step_with_its_state_as_json(
    database_url: str, connection: psycopg.Connection
) -> None:
    """An event a line, each with the row of its stream as it was right after it."""
    first = story(connection)
    ran = run("replay", "--step", str(first)[:13], "--json", url=database_url)
    lines = [json.loads(one) for one in ran.out.splitlines()]
    assert [(one["type"], one["state"]["state"], one["state"]["attempts"]) for one in lines] == [
        ("enqueued", "pending", 0),
        ("attempt_started", "sending", 1),
        ("attempt_failed", "pending", 1),
        ("attempt_started", "sending", 2),
        ("sent", "sent", 2),
    ]
    assert [one["state"]["version"] for one in lines] == [1, 2, 3, 4, 5]
    everything = run("replay", "--step", "--json", url=database_url).out.splitlines()
    states = [json.loads(one)["state"]["state"] for one in everything]
    assert states[:3] == ["owned", "connected", "pending"]
    assert len(states) == 8
    assert run("replay", "--step", "--account", "none", "--json", url=database_url).out == ""
    since = run("replay", "--step", "--since", "1h", "--json", url=database_url).out.splitlines()
    assert since == everything


def test_a_walk_forward_and_back(database_url: str, connection: psycopg.Connection) -> None:
    """By keys, which are shown; the state follows, and at the end the terminal is as it was."""
    first = story(connection)
    with closing(Terminal("replay", "--step", str(first), url=database_url)) as terminal:
        terminal.wait_for("→ next   ← back   g first   G last   q ends it", "version 1 of ")
        for key, version, state in (
            ("\x1b[C", 2, "sending"),
            ("n", 3, "pending"),
            ("p", 2, "sending"),
            ("G", 5, "sent"),
            ("\x1b[D", 4, "sending"),
            ("g", 1, "pending"),
        ):
            terminal.press(key)
            terminal.wait_for(f"version {version} of {first}", state)
        terminal.press("q")
        assert terminal.ended() == 0
        assert terminal.after == terminal.before
        assert "Traceback" not in terminal.shown
    assert not [one for one in schemas(connection) if one.startswith("outbox_")]


def test_a_stream_without_its_beginning_has_no_state(
    database_url: str, connection: psycopg.Connection
) -> None:
    """Its events are shown all the same."""
    first = story(connection)
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        connection.execute("delete from outbox.event where stream = %s and version = 1", (first,))
    ran = run("replay", "--step", str(first), "--json", url=database_url)
    assert ran.code == 0
    assert [json.loads(one)["state"] for one in ran.out.splitlines()] == [None] * 4
