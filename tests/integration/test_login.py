"""Logins: which device of WhatsApp's store is an account's."""

import psycopg
import pytest

from outbox.log.login import forget_login, login_of, record_login

pytestmark = pytest.mark.undone

DEVICE = "447700900001:5@s.whatsapp.net"


def test_login_is_kept_until_it_is_forgotten(connection: psycopg.Connection) -> None:
    """Pairing again replaces it; nobody else's is touched."""
    assert login_of(connection, "main") is None
    record_login(connection, "main", DEVICE)
    record_login(connection, "other", "447700900002:1@s.whatsapp.net")
    assert login_of(connection, "main") == DEVICE
    record_login(connection, "main", "447700900001:6@s.whatsapp.net")
    assert login_of(connection, "main") == "447700900001:6@s.whatsapp.net"
    forget_login(connection, "main")
    forget_login(connection, "main")
    assert login_of(connection, "main") is None
    assert login_of(connection, "other") is not None


def test_device_is_one_accounts(connection: psycopg.Connection) -> None:
    """Two accounts with one device would fight for it."""
    record_login(connection, "main", DEVICE)
    record_login(connection, "main", DEVICE)
    with pytest.raises(psycopg.errors.UniqueViolation):
        record_login(connection, "other", DEVICE)


def test_log_knows_nothing_of_it(connection: psycopg.Connection) -> None:
    """A device's JID is a number."""
    record_login(connection, "main", DEVICE)
    assert connection.execute("select count(*) from outbox.event").fetchone() == (0,)
