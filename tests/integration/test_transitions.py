"""Transitions of a connection: where each leads, and when the next try is due."""

from datetime import timedelta

import psycopg
import pytest

from outbox.errors import UnknownAccount
from outbox.words.wording import CONNECTION_STYLES
from tests.account import Account

pytestmark = pytest.mark.undone

FINAL = ["logged_out", "outdated", "halted", "banned"]


def halt(account: Account) -> None:
    """Let what nobody understands happen, and happen again to the probe."""
    for _ in range(2):
        account.transition("connecting")
        account.transition("halted", "because")


@pytest.mark.parametrize(
    ("type_", "state"),
    [
        ("connecting", "connecting"),
        ("pairing_offered", "pairing"),
        ("paired", "paired"),
        ("connected", "connected"),
        ("disconnected", "waiting"),
        ("replaced", "fenced"),
        ("logged_out", "logged_out"),
        ("banned", "banned"),
        ("outdated", "outdated"),
        ("halted", "waiting"),
        ("draining", "draining"),
    ],
)
def test_every_transition_has_its_state(
    connection: psycopg.Connection, type_: str, state: str
) -> None:
    """What happened is in the log with its reason, and the projection says where it led."""
    account = Account.owned(connection)
    account.transition(type_, "because")
    standing = account.standing()
    assert standing.state == state
    assert standing.reason == (None if type_ in {"connected", "paired"} else "because")
    assert account.connection_story()[1] == type_
    assert standing.version == len(account.connection_story())
    # Only what may be mended is tried again by itself.
    assert (standing.seconds is not None) == (type_ in {"disconnected", "halted"})


def test_reconnecting_backs_off(connection: psycopg.Connection) -> None:
    """2^n seconds after the n-th end in a row, up to five minutes, with up to a fifth more."""
    account = Account.owned(connection)
    waits: list[float] = []
    for _ in range(11):
        account.transition("connecting")
        account.transition("disconnected", "socket closed")
        waits.append(account.standing().seconds or 0)
    assert account.standing().failures == 11
    for n, wait in enumerate(waits):
        assert min(2**n, 300) - 0.1 <= wait <= min(2**n, 300) * 1.2
    assert account.connection_story()[-2:] == ["disconnected", "reconnect_scheduled"]


def test_a_connection_that_stands_ends_the_failures(connection: psycopg.Connection) -> None:
    """After it was connected the first wait is short again; a new owner changes nothing."""
    account = Account.owned(connection)
    for _ in range(5):
        account.transition("disconnected")
    account.release()
    assert account.acquire()
    assert account.standing().failures == 5
    account.transition("connected")
    assert account.standing().failures == 0
    account.transition("disconnected")
    standing = account.standing()
    assert standing.seconds is not None
    assert standing.seconds <= 1.2


def test_a_ban_ends_when_it_says(connection: psycopg.Connection) -> None:
    """A temporary ban is waited for to its end; one without an end needs an operator."""
    account = Account.owned(connection)
    account.transition("banned", "code 101", timedelta(hours=2))
    standing = account.standing()
    assert standing.state == "waiting"
    assert standing.seconds is not None
    assert 7199 <= standing.seconds <= 7200
    assert account.connection_story()[1:] == ["banned", "reconnect_scheduled"]


def test_two_replacements_halt(connection: psycopg.Connection) -> None:
    """Two clients that fight for an account get it banned: the second time an operator decides."""
    account = Account.owned(connection)
    account.transition("replaced")
    assert account.standing().state == "fenced"
    account.release()
    account.acquire()
    account.transition("connected")
    account.transition("replaced")
    assert account.standing().state == "halted"
    assert "outbox resume" in str(account.standing().reason)
    other = Account.owned(connection, "other")
    other.transition("replaced")
    assert other.standing().state == "fenced"


def test_replacements_long_apart_do_not_halt(connection: psycopg.Connection) -> None:
    """Only what was replaced twice within ten minutes is halted."""
    account = Account.owned(connection)
    stream = "outbox.connection_stream('main')"
    connection.execute(
        "insert into outbox.event (account, stream, version, type, recorded_at)"  # noqa: S608
        f" values ('main', {stream}, 2, 'replaced', now() - interval '11 minutes')"
    )
    account.transition("replaced")
    assert account.standing().state == "fenced"
    account.release()
    account.acquire()
    account.transition("replaced")
    assert account.standing().state == "halted"


def test_replacement_that_is_recorded_twice_counts_once(connection: psycopg.Connection) -> None:
    """An owner repeats a record whose answer was lost; the lease has not been taken anew."""
    account = Account.owned(connection)
    account.transition("replaced")
    account.transition("replaced")
    assert account.standing().state == "fenced"


@pytest.mark.parametrize("state", FINAL)
def test_a_new_owner_changes_no_verdict(connection: psycopg.Connection, state: str) -> None:
    """What WhatsApp has said stays, whoever holds the lease."""
    account = Account.owned(connection)
    if state == "halted":
        halt(account)
    account.transition(state, "because")
    account.release()
    assert account.acquire()
    connection.execute("update outbox.lease set until = '-infinity'")
    connection.execute("select outbox.rescue_leases()")
    assert account.acquire()
    assert account.standing().state == state
    assert account.standing().epoch == account.epoch
    assert account.standing().reason == "because"


def test_an_operator_resumes(connection: psycopg.Connection) -> None:
    """Resuming lets a connection be built at once, its failures forgotten."""
    account = Account.owned(connection)
    account.transition("disconnected", "gone")
    halt(account)
    assert account.standing().state == "halted"
    connection.execute("select outbox.resume('main')")
    standing = account.standing()
    assert standing[:4] == ("waiting", 9, 1, 0)
    assert standing.reason is None
    assert standing.seconds is not None
    assert standing.seconds <= 0
    with pytest.raises(UnknownAccount, match="nobody"):
        connection.execute("select outbox.resume('nobody')")


def test_what_nobody_understands_is_tried_once_more(connection: psycopg.Connection) -> None:
    """After a quarter of an hour, over a restart too; the same again is an operator's."""
    account = Account.owned(connection)
    account.transition("connected")
    account.transition("halted", "failure 418")
    standing = account.standing()
    assert (standing.state, standing.reason) == ("waiting", "failure 418")
    assert standing.seconds is not None
    assert 899 <= standing.seconds <= 1080
    account.release()
    assert account.acquire()
    waits = "select reconnect_at > statement_timestamp() + interval '14 minutes' from"
    assert connection.execute(f"{waits} outbox.connection".encode()).fetchone() == (True,)
    account.transition("connecting")
    account.transition("disconnected", "socket closed")
    account.transition("connecting")
    account.transition("halted", "failure 418")
    assert account.standing().state == "halted"
    assert account.connection_story()[-2:] == ["connecting", "halted"]


def test_halt_that_is_recorded_twice_is_still_tried_once_more(
    connection: psycopg.Connection,
) -> None:
    """An owner repeats a record whose answer was lost; nothing was tried between."""
    account = Account.owned(connection)
    account.transition("connecting")
    account.transition("halted", "failure 418")
    account.transition("halted", "failure 418")
    assert account.standing().state == "waiting"


@pytest.mark.parametrize("mended", ["connected", "paired"])
def test_connection_that_stood_is_tried_once_more_again(
    connection: psycopg.Connection, mended: str
) -> None:
    """What was halted before that is forgotten."""
    account = Account.owned(connection)
    halt(account)
    connection.execute("select outbox.resume('main')")
    account.transition("connecting")
    account.transition(mended)
    account.transition("halted", "failure 418")
    assert account.standing().state == "waiting"


@pytest.mark.parametrize("state", [*FINAL, "disconnected"])
def test_account_that_was_paired_connects_at_once(
    connection: psycopg.Connection, state: str
) -> None:
    """Whatever was before: a pairing command gives the lease back, and the next owner begins."""
    account = Account.owned(connection)
    for _ in range(3):
        account.transition("disconnected")
    account.transition(state, "because", timedelta(hours=1) if state == "banned" else None)
    account.release()
    assert account.acquire()
    account.transition("pairing_offered")
    assert account.standing().state == "pairing"
    account.transition("paired")
    account.release()
    assert account.acquire()
    standing = account.standing()
    assert (standing.state, standing.failures, standing.reason) == ("owned", 0, None)
    assert standing.seconds is None


def test_every_state_has_its_words(connection: psycopg.Connection) -> None:
    """Whatever an event of a connection leads to is known by name where people look."""
    states = {
        row[0]
        for row in connection.execute(
            "select outbox.next_connection_state('free', type)"
            " from unnest(outbox.connection_types()) type"
        )
    }
    assert states == set(CONNECTION_STYLES)
