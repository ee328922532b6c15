"""What a person's STOP does: nothing more is enqueued to them, until somebody undoes it."""

import psycopg
import pytest

from outbox.errors import StaleEpoch, Suppressed
from outbox.log import suppression
from outbox.log.store import SCHEMA
from tests.account import Account
from tests.puppet import Puppet, driven, until
from tests.whatsapp.device import create_store

JID = "447700900001@s.whatsapp.net"
"""The one that `Account.enqueue` writes to."""


@pytest.fixture
def account(connection: psycopg.Connection) -> Account:
    """An account with an owner."""
    return Account.owned(connection)


def says(account: Account, word: str, *, opts_out: bool) -> bool:
    """Record what they wrote; return whether it changed anything."""
    return suppression.record_consent(
        account.connection, account.name, account.epoch, JID, word, opts_out=opts_out
    )


def test_stop_and_start(account: Account) -> None:
    """After STOP an enqueue is refused, what waits is cancelled; START undoes it."""
    waiting = account.enqueue()
    assert says(account, "STOP", opts_out=True)
    assert account.row(waiting).state == "cancelled"
    with pytest.raises(Suppressed, match="the recipient wrote STOP"):
        account.enqueue()
    assert says(account, "START", opts_out=False)
    account.enqueue()
    told = account.connection.execute(
        "select type, data->>'reason', metadata from outbox.event"
        " where type in ('suppressed', 'unsuppressed') order by position"
    ).fetchall()
    by = {"epoch": account.epoch, "recipient": True}
    assert told == [
        ("suppressed", "the recipient wrote STOP", by),
        ("unsuppressed", "the recipient wrote START", by),
    ]


def test_twice_says_nothing_new(account: Account) -> None:
    """Words that change nothing leave no event."""
    assert not says(account, "START", opts_out=False)
    assert says(account, "STOP", opts_out=True)
    assert not says(account, "QUIT", opts_out=True)
    assert says(account, "UNSTOP", opts_out=False)
    assert not says(account, "START", opts_out=False)


@pytest.mark.parametrize("everywhere", [True, False])
def test_what_an_operator_has_said_stays(account: Account, *, everywhere: bool) -> None:
    """A recipient's START does not lift a suppression that somebody else has made."""
    name = None if everywhere else account.name
    suppression.suppress(account.connection, JID, name, "asked by letter")
    assert not says(account, "STOP", opts_out=True)
    assert not says(account, "START", opts_out=False)
    with pytest.raises(Suppressed, match="asked by letter"):
        account.enqueue()


def test_what_an_operator_has_said_of_the_lid_stays(account: Account, database_url: str) -> None:
    """A number and a lid are lifted together, so START lifts neither if one is an operator's."""
    suppression.suppress(account.connection, "189000111@lid", account.name, "asked by letter")
    assert says(account, "STOP", opts_out=True)
    create_store(database_url, SCHEMA)
    account.connection.execute(
        "insert into whatsapp.whatsmeow_lid_map values ('189000111', %s)", (JID.partition("@")[0],)
    )
    assert not says(account, "START", opts_out=False)
    with pytest.raises(Suppressed):
        account.enqueue(recipient="189000111@lid")


def test_other_accounts_go_on(account: Account) -> None:
    """They opt out of the account that they wrote to."""
    assert says(account, "STOP", opts_out=True)
    Account(account.connection, "other").enqueue()


def test_a_fenced_owner_records_nothing(account: Account) -> None:
    """Whoever has lost the lease is refused here as everywhere."""
    account.epoch += 1
    with pytest.raises(StaleEpoch):
        says(account, "STOP", opts_out=True)


def test_an_owner_records_what_its_session_hears(
    database_url: str, connection: psycopg.Connection
) -> None:
    """What comes in is recorded while the account is served, with nothing of the person in it."""
    account = Account(connection)
    puppet = Puppet()
    first = account.enqueue()
    with driven(database_url, puppet):
        until(lambda: account.row(first).state == "sent", "it is sent")
        puppet.write(JID, "Stop.")
        until(
            lambda: connection.execute(
                "select 1 from outbox.suppression where suppressed_at is not null"
            ).fetchone(),
            "it is recorded",
        )
        with pytest.raises(Suppressed):
            account.enqueue()
    log = connection.execute("select string_agg(e::text, ' ') from outbox.event e").fetchone()
    assert log
    assert JID.partition("@")[0] not in log[0]
