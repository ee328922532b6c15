"""The real library is logged in, refused, thrown out and left waiting."""

import time

import psycopg
import pytest
from psycopg import sql

from tests.whatsapp.account import Account
from tests.whatsapp.child import Child
from tests.whatsapp.conftest import SCHEMA, StartClient
from tests.whatsapp.server import WhatsApp

FRIEND = "31600900001@s.whatsapp.net"


def test_a_client_logs_in(connected: Child, account: Account, jid: str) -> None:
    """As the device that it was paired as."""
    assert connected.call("me") == jid
    assert account.connected
    assert account.logins() == 1


def test_a_client_that_goes_is_gone(connected: Child, account: Account) -> None:
    """The server notices that a client hangs up."""
    connected.call("stop")
    account.wait_gone()
    assert not account.connected


def test_a_dropped_client_comes_back(connected: Child, account: Account) -> None:
    """The library reconnects by itself."""
    account.drop()
    connected.wait("Disconnected")
    connected.wait("Connected", 2)
    assert account.logins() == 2


def test_a_replaced_client_stays_away(connected: Child, account: Account) -> None:
    """It is told that another client has taken over, and does not come back."""
    account.replace()
    connected.wait("StreamReplaced")
    assert not account.connected
    assert account.logins() == 1


def test_a_second_client_replaces_the_first(
    connected: Child, account: Account, start_client: StartClient, jid: str
) -> None:
    """A device is connected once."""
    start_client(jid).wait("Connected")
    connected.wait("StreamReplaced")
    assert account.connected
    assert account.logins() == 2


def test_accounts_do_not_meet(
    connected: Child, account: Account, whatsapp: WhatsApp, start_client: StartClient
) -> None:
    """What happens to one account happens to no other."""
    other = start_client(None)
    whatsapp.phone.scan(other.wait("qr"), "31600800001:3@s.whatsapp.net")
    other.wait("Connected")
    account.log_out()
    connected.wait("LoggedOut")
    other.call("send", FRIEND, "Hello")
    assert whatsapp.account("31600800001@s.whatsapp.net").connected
    assert account.received() == []


def test_an_unlinked_client_forgets_its_device(
    connected: Child, account: Account, jid: str, store_database: str
) -> None:
    """The library deletes its row of the device that was removed while it was connected."""
    account.log_out()
    assert connected.wait("LoggedOut") == {"OnConnect": False, "Reason": "LOGGED_OUT"}
    rows = sql.SQL("select jid from {} where jid = %s").format(
        sql.Identifier(SCHEMA, "whatsmeow_device")
    )
    with psycopg.connect(store_database) as connection:
        deadline = time.monotonic() + 20
        while connection.execute(rows, [jid]).fetchone() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert connection.execute(rows, [jid]).fetchone() is None


@pytest.mark.parametrize(
    ("reason", "event", "value"),
    [
        (400, "ConnectFailure", "GENERIC"),
        (403, "LoggedOut", "MAIN_DEVICE_GONE"),
        (406, "LoggedOut", "UNKNOWN_LOGOUT"),
        (405, "ClientOutdated", None),
    ],
)
def test_a_client_hears_at_its_login_why_it_is_refused(
    connected: Child, account: Account, reason: int, event: str, value: str | None
) -> None:
    """It is dropped, comes back, is told the reason and stays away."""
    account.fail(reason)
    assert connected.wait(event).get("Reason") == value
    assert account.logins() == 1


def test_a_failure_that_has_no_name_ends_the_events(connected: Child, account: Account) -> None:
    """The library cannot tell it."""
    account.fail(418)
    assert "required field" in connected.wait("ended")


def test_an_outdated_client_is_told_so(connected: Child, account: Account) -> None:
    """It stays away."""
    account.outdate()
    connected.wait("ClientOutdated")
    assert account.logins() == 1


def test_a_ban_ends(
    connected: Child, account: Account, start_client: StartClient, jid: str
) -> None:
    """The client is told the seconds that are left; when they have passed, it is welcome."""
    account.ban(2, code=103)
    ban = connected.wait("TemporaryBan")
    assert ban["Code"] == "CREATED_TOO_MANY_GROUPS"
    assert 1 <= int(ban["Expire"]) <= 2
    time.sleep(2)
    start_client(jid).wait("Connected")


def test_an_unavailable_server_is_tried_again(connected: Child, account: Account) -> None:
    """The library comes back until it is let in."""
    account.unavailable()
    connected.wait("Disconnected", 2)
    assert account.logins() == 1
    account.lift()
    connected.wait("Connected", 2)


def test_an_unreachable_server_is_tried_again(connected: Child, account: Account) -> None:
    """Connections drop and none is made until that is lifted."""
    account.offline()
    connected.wait("Disconnected")
    account.lift()
    connected.wait("Connected", 2)


def test_a_client_cannot_start_offline(
    account: Account, start_client: StartClient, paired: str
) -> None:
    """The first connection is tried once."""
    account.offline()
    assert "failed to dial" in start_client(paired).wait("ended")


def test_a_black_hole_answers_nothing(
    account: Account, start_client: StartClient, paired: str
) -> None:
    """The client is still dialling, until it is hung up on."""
    account.black_hole()
    client = start_client(paired)
    account.wait_swallowed()
    assert not client.heard("ended")
    account.lift()
    assert "failed to dial" in client.wait("ended")


def test_a_stalled_connection_answers_nothing(connected: Child, account: Account) -> None:
    """Not even a question; the socket stays open."""
    account.stall()
    asking = connected.begin("is_on_whatsapp", "31600900001")
    with pytest.raises(TimeoutError):
        connected.answer(asking, patience=0.5)
    assert connected.call("is_connected")
    account.lift()
    assert connected.call("is_on_whatsapp", "31600900001") == {"31600900001": True}
