"""The schema audit: read by an auditor who may read nothing else, and its own table of contents."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.log_story import tell_the_day

QUESTIONS = (
    "select * from audit.timeline('019cd5a0-0000-7000-8000-000000000011')",
    "select * from audit.attempts('2026-03-10')",
    "select * from audit.attempts_to('+447700900107')",
    "select * from audit.connection_history('2026-03-10')",
    "select * from audit.downtime('2026-03-10')",
    "select * from audit.outages('2026-03-10')",
    "select * from audit.held_up('2026-03-10')",
    "select * from audit.duplicates('2026-03-10')",
    "select * from audit.latency('2026-03-10')",
    "select * from audit.dead_letters('2026-03-10')",
    "select * from audit.deeds('2026-03-10')",
    "select * from audit.deed",
    "select * from audit.lease",
    "select * from audit.event",
    "select * from audit.identity",
)
NUMBERS = ("attempts", "outages", "held_up", "duplicates", "identity")
"""What reads whom a recipient's id stands for."""


@pytest.fixture
def auditor(connection: psycopg.Connection) -> Iterator[str]:
    """A role that may use the schema audit and read its views, and nothing else."""
    name = f"auditor_{secrets.token_hex(4)}"
    role = sql.Identifier(name)
    connection.execute(sql.SQL("create role {}").format(role))
    connection.execute(sql.SQL("grant usage on schema audit to {}").format(role))
    connection.execute(sql.SQL("grant select on all tables in schema audit to {}").format(role))
    try:
        yield name
    finally:
        connection.execute(sql.SQL("drop owned by {}").format(role))
        connection.execute(sql.SQL("drop role {}").format(role))


def test_an_auditor_needs_the_schema_alone(
    database_url: str, connection: psycopg.Connection, auditor: str
) -> None:
    """Every question is answered, and the schema outbox stays closed."""
    tell_the_day(connection)
    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(auditor)))
        for question in QUESTIONS:
            assert connection.execute(question).fetchall(), question
        for table in ("event", "notification", "content"):
            with (
                pytest.raises(psycopg.errors.InsufficientPrivilege),
                connection.transaction(),
            ):
                connection.execute(sql.SQL("select from outbox.{}").format(sql.Identifier(table)))


def test_numbers_can_be_kept_from_an_auditor(
    database_url: str, connection: psycopg.Connection, auditor: str
) -> None:
    """Without a right on audit.identity whatever names a recipient is refused, and nothing else."""
    tell_the_day(connection)
    role = sql.Identifier(auditor)
    connection.execute(sql.SQL("revoke select on audit.identity from {}").format(role))
    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("set local role {}").format(role))
        for question in QUESTIONS:
            numbers = any(name in question for name in NUMBERS)
            try:
                with connection.transaction():
                    connection.execute(question)
            except psycopg.errors.InsufficientPrivilege:
                assert numbers, question
            else:
                assert not numbers, question


def test_every_object_says_what_it_is_for(connection: psycopg.Connection) -> None:
    """Listed by psql with their descriptions they read like a table of contents."""
    rows = connection.execute(
        "select relname, obj_description(oid, 'pg_class') from pg_class"
        " where relnamespace = 'audit'::regnamespace"
        " union all select proname, obj_description(oid, 'pg_proc') from pg_proc"
        " where pronamespace = 'audit'::regnamespace"
    ).fetchall()
    assert len(rows) > 15
    for name, comment in rows:
        assert comment, name
        assert comment.endswith("."), name


def test_a_period_reads_its_partitions_alone(connection: psycopg.Connection) -> None:
    """The functions are put into the query that asks, so that EXPLAIN shows which are read."""
    connection.execute("select outbox.create_partition('2026-03-10')")
    question = sql.SQL("explain select * from audit.{}('2026-03-01Z', '2026-04-01Z')")
    for function in ("attempts", "duplicates", "latency", "dead_letters", "deeds"):
        rows = connection.execute(question.format(sql.Identifier(function)))
        plan = "\n".join(row[0] for row in rows)
        assert "Function Scan" not in plan, function
        assert "event_2026_03" in plan, function
