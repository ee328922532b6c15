"""The roles that the migrations make: what each may, and that it can do no more."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from outbox.log.seal import seal
from outbox.log.verify import Verification, verify
from tests.account import Account
from tests.databases import PREFIX

BODY = '{"kind": "text", "text": "hello"}'
NUMBER = "+447700900123"


@contextmanager
def member(connection: psycopg.Connection, url: str, role: str | None) -> Iterator[str]:
    """Make a role that may log in and is a member of another one; hand out its URL."""
    name, password = f"{PREFIX}_{secrets.token_hex(4)}", secrets.token_hex(8)
    connection.execute(
        sql.SQL("create role {} login password {}").format(sql.Identifier(name), password)
    )
    try:
        if role is not None:
            connection.execute(
                sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(name))
            )
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        yield parts._replace(netloc=f"{name}:{password}@{host}").geturl()
    finally:
        connection.execute(sql.SQL("drop owned by {0}; drop role {0}").format(sql.Identifier(name)))


@pytest.fixture
def application(connection: psycopg.Connection, database_url: str) -> Iterator[psycopg.Connection]:
    """A connection of a program that only enqueues."""
    with (
        member(connection, database_url, "outbox_application") as url,
        psycopg.connect(url, autocommit=True) as found,
    ):
        yield found


@pytest.fixture
def auditor(connection: psycopg.Connection, database_url: str) -> Iterator[psycopg.Connection]:
    """A connection of somebody who only looks."""
    with (
        member(connection, database_url, "outbox_auditor") as url,
        psycopg.connect(url, autocommit=True) as found,
    ):
        yield found


def enqueued(connection: psycopg.Connection) -> UUID:
    """Enqueue a text."""
    row = connection.execute("select outbox.enqueue(%s, %s)", (NUMBER, BODY)).fetchone()
    assert row
    found: UUID = row[0]
    return found


def test_an_application_calls_the_functions(
    connection: psycopg.Connection, application: psycopg.Connection
) -> None:
    """It enqueues, sees how that stands, cancels and requeues, and stores media."""
    notification = enqueued(application)
    assert application.execute(
        "select state from outbox.notification where id = %s", (notification,)
    ).fetchone() == ("pending",)
    application.execute("select outbox.cancel(%s)", (notification,))
    application.execute("select outbox.requeue(%s)", (notification,))
    application.execute(
        "select * from outbox.enqueue_batch(%s)",
        (f'[{{"recipient": "{NUMBER}", "content": {BODY}}}]',),
    )
    application.execute("select outbox.store_media('\\x00', 'image/png')")
    assert Account(connection).story(notification) == ["enqueued", "cancelled", "requeued"]


FORBIDDEN = [
    """
    insert into outbox.event (account, stream, version, type)
    values ('main', gen_random_uuid(), 1, 'sent')
    """,
    "update outbox.event set type = 'sent'",
    "delete from outbox.event",
    "truncate outbox.event",
    "alter table outbox.event disable trigger all",
    "update outbox.notification set state = 'sent'",
    "update outbox.seal set events = 0",
    "select * from outbox.token",
    "select * from outbox.webhook",
    "select * from outbox.login",
    "select * from outbox.media",
    "select outbox.acquire_lease('main', gen_random_uuid(), '1 minute', '{}')",
    "select outbox.drop_partition('event_2026_01')",
    "create table outbox.mine ()",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_neither_does_more(
    application: psycopg.Connection, auditor: psycopg.Connection, statement: str
) -> None:
    """Whatever would change the log, or show a secret, is refused to both."""
    for one in (application, auditor):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            one.execute(statement)


@pytest.mark.parametrize("table", ["event", "identity", "content"])
def test_an_application_does_not_read_others_mail(
    application: psycopg.Connection, table: str
) -> None:
    """It sees states, and neither the log, nor numbers, nor bodies."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        application.execute(sql.SQL("select * from outbox.{}").format(sql.Identifier(table)))


def test_an_auditor_verifies(connection: psycopg.Connection, auditor: psycopg.Connection) -> None:
    """It reads the log and its seals, and cannot enqueue."""
    Account(connection).enqueue()
    assert list(seal(connection))
    result = Verification()
    assert list(verify(auditor, result)) == []
    assert (result.seals, result.events) == (1, 1)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        enqueued(auditor)


def test_an_auditor_asks_the_schema_audit(
    connection: psycopg.Connection, auditor: psycopg.Connection
) -> None:
    """Its views and functions answer."""
    notification = Account(connection).enqueue()
    rows = auditor.execute("select type from audit.timeline(%s)", (notification,)).fetchall()
    assert rows == [("enqueued",)]
    assert auditor.execute("select * from audit.outages('-infinity')").fetchall() == []


def test_others_may_nothing(connection: psycopg.Connection, database_url: str) -> None:
    """A role that is a member of neither does not even see that there is an outbox."""
    with (
        member(connection, database_url, None) as url,
        psycopg.connect(url) as other,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="schema outbox"),
    ):
        enqueued(other)


def test_nobody_slips_a_function_under(
    connection: psycopg.Connection, application: psycopg.Connection
) -> None:
    """What runs with the owner's rights calls PostgreSQL's functions, whatever the path says."""
    name = sql.Identifier(f"evil_{secrets.token_hex(4)}")
    user = application.info.user
    connection.execute(
        sql.SQL("create schema {} authorization {}").format(name, sql.Identifier(user))
    )
    application.execute(
        sql.SQL("""
            create function {0}.sha256(bytea) returns bytea language plpgsql as $$
            begin raise exception 'as %', current_user; end $$;
            set search_path = {0}, pg_catalog
        """).format(name)
    )
    enqueued(application)


def test_other_names(connection: psycopg.Connection) -> None:
    """Outboxes that share a server can have roles of their own; to ask twice is harmless."""
    prefix = f"{PREFIX}_roles"
    try:
        for _ in range(2):
            assert connection.execute("select outbox.grant_roles(%s)", (prefix,)).fetchone() == (
                True,
            )
    finally:
        for role in ("application", "auditor"):
            connection.execute(
                sql.SQL("drop owned by {0}; drop role {0}").format(
                    sql.Identifier(f"{prefix}_{role}")
                )
            )


def test_where_nobody_may_make_roles(connection: psycopg.Connection, database_url: str) -> None:
    """As on plans with one credential: there are none then, it is said, and nothing has failed."""
    with member(connection, database_url, None) as url:
        name = sql.Identifier(urlsplit(url).username or "")
        connection.execute(sql.SQL("grant all on schema outbox to {}").format(name))
        with psycopg.connect(url, autocommit=True) as plain:
            found = plain.execute("select outbox.grant_roles(%s)", (f"{PREFIX}_none",)).fetchone()
            assert found == (False,)
