"""Every end of a connection is told as what it is, with a reason that holds no number."""

import pytest

from outbox.session.port import Transition, TransitionType
from tests.whatsapp.account import Account
from tests.whatsapp.conftest import Listen


@pytest.mark.parametrize(
    ("failure", "kind", "reason"),
    [
        (401, "logged_out", "WhatsApp logged the account out at login: logged out"),
        (403, "logged_out", "WhatsApp logged the account out at login: main device gone"),
        (406, "logged_out", "WhatsApp logged the account out at login: unknown logout"),
        (405, "outdated", "WhatsApp wants a newer client: upgrade neonize"),
        (400, "halted", "WhatsApp refused the login: generic"),
        (409, "halted", "WhatsApp refused the login: bad user agent"),
        (500, "disconnected", "the connection was lost"),
        (501, "disconnected", "WhatsApp refused the login: experimental"),
        (503, "disconnected", "the connection was lost"),
    ],
)
def test_refused_login(
    listen: Listen, account: Account, failure: int, kind: TransitionType, reason: str
) -> None:
    """A login that fails ends the connection for the reason that WhatsApp names."""
    account.fail(failure)
    listener = listen()
    listener.session.connect()
    assert listener.end() == Transition(kind, reason)
    assert listener.transitions() == [listener.end()]


def test_failure_without_a_name(listen: Listen, account: Account) -> None:
    """A refusal for a reason that the library cannot pack halts the account, and says so."""
    account.fail(418)
    listener = listen()
    listener.session.connect()
    process = listener.process()
    assert listener.end() == Transition(
        "halted", "WhatsApp refused the login for a reason that neonize has no name for"
    )
    assert not process.is_running()


def test_banned(listen: Listen, account: Account) -> None:
    """A ban says why, and for how long it lasts."""
    account.ban(3600, code=103)
    listener = listen()
    listener.session.connect()
    end = listener.end()
    assert end.type == "banned"
    assert end.retry_after is not None
    assert 3500 < end.retry_after <= 3600
    assert end.reason.endswith(" s: created too many groups")


def test_ban_without_a_name(listen: Listen, account: Account) -> None:
    """A ban for a reason that nobody knows is a ban, of which no end is known."""
    account.ban(3600, code=199)
    listener = listen()
    listener.session.connect()
    assert listener.end() == Transition(
        "banned", "banned for a reason that neonize has no name for"
    )


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("999", "halted", "WhatsApp ended the stream with error 999"),
        (None, "halted", "WhatsApp ended the stream with error unnamed"),
        ("500", "disconnected", "WhatsApp ended the stream with error 500"),
        ("503", "disconnected", "the connection was lost"),
    ],
)
def test_stream_error(
    listen: Listen, account: Account, code: str | None, kind: TransitionType, reason: str
) -> None:
    """A stream error that nobody knows halts the account: somebody has to look."""
    listener = listen()
    process = listener.connect()
    account.end_stream(code)
    assert listener.end() == Transition(kind, reason)
    assert not process.is_running()


def test_restart(listen: Listen, account: Account) -> None:
    """A server that restarts ends the connection; the next one is up to the owner."""
    listener = listen()
    listener.connect()
    account.end_stream("515")
    assert listener.end().type == "disconnected"
    listener.connect()
    assert listener.outcome(listener.send()).type == "sent"


def test_logged_out(listen: Listen, account: Account) -> None:
    """An account that was unlinked on the phone is logged out, and its message unknown."""
    listener = listen()
    listener.connect()
    account.silence()
    attempt = listener.send()
    account.wait_received(1)
    account.log_out()
    end = listener.end()
    assert end == Transition(
        "logged_out", "WhatsApp logged the account out while connected: logged out"
    )
    assert listener.outcome(attempt).type == "unknown"


def test_replaced(listen: Listen, account: Account) -> None:
    """Another client of the same device ends the connection, and is named as the reason."""
    listener = listen()
    listener.connect()
    account.replace()
    assert listener.end() == Transition("replaced", "another client has connected as this device")


def test_unreachable(listen: Listen, account: Account) -> None:
    """A server that cannot be reached is told in the dial's own words."""
    account.offline()
    listener = listen()
    listener.session.connect()
    assert listener.end().type == "disconnected"
    assert "failed to dial" in listener.end().reason
