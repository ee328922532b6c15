"""The log's partitions: made ahead, each with its guards and indexes, in nobody's way."""

from concurrent.futures import ThreadPoolExecutor

import psycopg

from outbox.log.follow import Follower
from outbox.log.upkeep import create_partitions
from tests.account import Account

SHAPE = """
    select c.relname, t.tgname, t.tgtype,
           (select array_agg(replace(pg_get_indexdef(i.indexrelid), c.relname, '*')
                             order by pg_get_indexdef(i.indexrelid))
            from pg_index i where i.indrelid = c.oid),
           (select array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' '
                             || a.attnotnull || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
                             order by a.attnum)
            from pg_attribute a left join pg_attrdef d on (d.adrelid, d.adnum) = (c.oid, a.attnum)
            where a.attrelid = c.oid and a.attnum > 0)
    from pg_class c join pg_inherits i on i.inhrelid = c.oid
    left join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal
    where i.inhparent = 'outbox.event'::regclass order by c.relname
"""


def shapes(connection: psycopg.Connection) -> dict[str, tuple[object, ...]]:
    """Return the triggers, indexes and columns of each partition."""
    return {row[0]: row[1:] for row in connection.execute(SHAPE)}


def make(connection: psycopg.Connection, day: str) -> bool:
    """Make the partition of a day; return whether it was made."""
    row = connection.execute("select outbox.create_partition(%s::date)", (day,)).fetchone()
    assert row
    return bool(row[0])


def test_partitions_are_made_ahead(connection: psycopg.Connection) -> None:
    """This month and the three that follow are there from the start; asking again makes none."""
    rows = connection.execute(
        "select 'event_' || to_char(m, 'YYYY_MM') from generate_series("
        "date_trunc('month', now() at time zone 'UTC'),"
        "date_trunc('month', now() at time zone 'UTC') + interval '3 months', '1 month') m"
    ).fetchall()
    assert list(shapes(connection)) == [row[0] for row in rows]
    assert create_partitions(connection) == 0
    row = connection.execute("select outbox.create_partitions(5)").fetchone()
    assert row == (2,)
    assert len(shapes(connection)) == 6


def test_a_month_has_one_partition(connection: psycopg.Connection) -> None:
    """Each day of a month asks for the same partition, from midnight to midnight UTC."""
    connection.execute("set timezone = 'Pacific/Auckland'")
    assert make(connection, "2031-02-28")
    assert not make(connection, "2031-02-01")
    assert make(connection, "2031-03-01")
    bounds = connection.execute(
        "select pg_get_expr(relpartbound, oid) from pg_class where relname = 'event_2031_02'"
    ).fetchone()
    connection.execute("set timezone = 'UTC'")
    assert bounds == ("FOR VALUES FROM ('2031-02-01 13:00:00+13') TO ('2031-03-01 13:00:00+13')",)


def test_every_partition_has_the_same_shape(connection: psycopg.Connection) -> None:
    """Guard, indexes and defaults are there in every partition, whoever made it and when."""
    make(connection, "2031-02-01")
    different = set(map(repr, shapes(connection).values()))
    assert len(different) == 1
    (trigger, kind, indexes, columns) = shapes(connection)["event_2031_02"]
    assert trigger == "guard"
    # before (2), insert (4), delete (8), update (16), truncate (32), for each statement (0)
    assert kind == 2 + 4 + 8 + 16 + 32
    assert isinstance(indexes, list)
    assert any("(stream, version)" in index for index in indexes)
    assert any("(xid" in index for index in indexes)
    assert any("USING brin" in index for index in indexes)
    assert isinstance(columns, list)
    assert any("nextval" in column for column in columns)
    assert any("pg_current_xact_id" in column for column in columns)


def test_a_partition_is_made_beside_open_transactions(
    connection: psycopg.Connection, database_url: str
) -> None:
    """A caller's open transaction neither holds up a new partition nor, by it, other callers."""
    with psycopg.connect(database_url) as forgotten:
        Account(forgotten).enqueue(1)
        forgotten.execute("select count(*) from outbox.event")
        connection.execute("set lock_timeout = '200ms'")
        assert make(connection, "2031-02-01")
        Account(connection).enqueue(2)
        forgotten.commit()
    assert len(Follower(connection, back=None).take().events) == 2


def test_two_who_make_a_partition_agree(database_url: str) -> None:
    """Workers that start together make each partition once, and neither fails."""

    def make_all(_: int) -> int:
        with psycopg.connect(database_url) as connection:
            row = connection.execute("select outbox.create_partitions(12)").fetchone()
            assert row
            return int(row[0])

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(make_all, range(4))) == 9
