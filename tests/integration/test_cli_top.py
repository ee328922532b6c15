"""`outbox top`: live on a terminal, which is a pseudo one here, and as JSON."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from tests.cli_runner import Session, enqueue, run
from tests.terminal import Terminal

PATIENCE = 20.0


@pytest.fixture
def terminal(database_url: str, connection: psycopg.Connection) -> Iterator[Terminal]:
    """`outbox top` of an outbox with an account that is connected."""
    session = Session(connection)
    session.transition("connected")
    with closing(Terminal("top", "--interval", "0.1", url=database_url)) as terminal:
        yield terminal


def test_it_is_live_until_q(terminal: Terminal, connection: psycopg.Connection) -> None:
    """What happens is shown as it does; at the end the terminal is as it was."""
    terminal.wait_for("connected for")
    for heading in ("ACCOUNT", "PENDING", "OLDEST", "SENT/MIN", "FAILED/MIN"):
        terminal.wait_for(heading)
    first = enqueue(connection)
    terminal.wait_for(str(first))
    connection.execute("select outbox.cancel(%s)", (first,))
    terminal.wait_for("withdrawn")
    terminal.press("q")
    assert terminal.ended() == 0
    assert terminal.after == terminal.before
    assert "Traceback" not in terminal.shown


def test_control_c_ends_it(terminal: Terminal) -> None:
    """As it does `tail`: with 0, and with the terminal as it was."""
    terminal.wait_for("connected for")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.ended() == 0
    assert terminal.after == terminal.before
    assert "Traceback" not in terminal.shown


def test_a_lost_database_is_waited_for(terminal: Terminal, connection: psycopg.Connection) -> None:
    """And no event is missed."""
    terminal.wait_for("connected for")
    connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where application_name = 'outbox cli' and datname = current_database()"
    )
    terminal.wait_for("trying again")
    terminal.wait_for(str(enqueue(connection)))
    terminal.press("q")
    assert terminal.ended() == 0


def test_errors_and_rates_are_told_as_json(
    database_url: str, connection: psycopg.Connection
) -> None:
    """An object a refresh: what happened in the last minute, then what has come since."""
    session = Session(connection)
    sent, failed = enqueue(connection), enqueue(connection, "+447700900124")
    session.end("sent", sent)
    session.end("failed", failed, error="error 503")
    process = subprocess.Popen(
        [sys.executable, "-m", "outbox", "top", "--json", "--interval", "0.1"],
        env={**os.environ, "DATABASE_URL": database_url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        try:
            first = json.loads(process.stdout.readline())
            (account,) = first["accounts"]
            assert (account["account"], account["owned"]) == ("main", True)
            assert (account["sent_a_minute"], account["failed_a_minute"]) == (1, 1)
            assert [one["data"]["error"] for one in first["errors"]] == ["error 503"]
            types = [one["type"] for one in first["events"]]
            assert types.count("enqueued") == 2
            later = str(enqueue(connection))
            seen: list[str] = []
            while later not in seen:
                following = json.loads(process.stdout.readline())
                seen += [one["stream"] for one in following["events"]]
            assert seen == [later]
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def test_where_no_terminal_is_it_says_what_to_do(database_url: str) -> None:
    """Rather than write what nobody can read."""
    ran = run("top", url=database_url)
    assert (ran.code, ran.out) == (2, "")
    assert "give --json, or look once with: outbox status" in ran.err
