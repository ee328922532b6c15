"""The schema as a text: what the migrations add up to, the same on every supported PostgreSQL.

The months of the log's partitions are left out, since they depend on the day: all partitions have
one shape, which is listed once. So are whatsmeow's tables, which it makes itself in the schema
`whatsapp`: of that only the name is listed. Functions are listed by a digest of their bodies, which
are to be read in `alembic/sql`. Those of the schema `audit` are kept as PostgreSQL parsed them,
which each version writes in its own way, so they are listed by what they take, return and are for.
Run as a module it writes the schema of a new database to standard output.
"""

import hashlib
import re
import sys
from collections import defaultdict
from pathlib import Path

import psycopg

from outbox.log.migrate import upgrade
from tests.databases import database, embedded_server

FILE = Path(__file__).resolve().parents[2] / "alembic" / "schema.txt"

_RELATIONS = """
    select c.relname,
           case c.relkind when 'S' then 'sequence' when 'v' then 'view' else 'table' end,
           concat_ws(' ', case when c.relpersistence <> 'p' then 'not permanent' end,
                     'partition of ' || i.inhparent::regclass,
                     'partitioned by ' || pg_get_partkeydef(c.oid), 'with ' || c.reloptions::text)
    from pg_class c left join pg_inherits i on i.inhrelid = c.oid
    where c.relnamespace = 'outbox'::regnamespace and c.relkind not in ('i', 'I', 't', 'c')
"""
_PARTS = """
    select c.relname, 'column ' || to_char(a.attnum, 'FM000') || ' ' || a.attname || ' '
           || format_type(a.atttypid, a.atttypmod)
           || case when a.attnotnull then ' not null' else '' end
           || coalesce(case a.attgenerated when 's' then ' generated ' else ' default ' end
                       || pg_get_expr(d.adbin, d.adrelid), '')
           || case when a.attstorage = t.typstorage then ''
                   else ' stored ' || a.attstorage::text end
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p', 'v')
    join pg_type t on t.oid = a.atttypid
    left join pg_attrdef d on (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
    where c.relnamespace = 'outbox'::regnamespace and a.attnum > 0 and not a.attisdropped
    union all
    select c.relname, 'constraint ' || x.conname || ' ' || pg_get_constraintdef(x.oid)
    from pg_constraint x join pg_class c on c.oid = x.conrelid
    where x.connamespace = 'outbox'::regnamespace and x.contype <> 'n'  -- shown as not null
    union all
    select c.relname, 'index ' || pg_get_indexdef(x.indexrelid)
    from pg_index x join pg_class c on c.oid = x.indrelid
    where c.relnamespace = 'outbox'::regnamespace
    union all
    select c.relname, 'trigger ' || pg_get_triggerdef(x.oid)
    from pg_trigger x join pg_class c on c.oid = x.tgrelid
    where c.relnamespace = 'outbox'::regnamespace and not x.tgisinternal
    union all
    select c.relname, 'counts ' || format_type(s.seqtypid, null) || ' from ' || s.seqstart
           || ' by ' || s.seqincrement || ' cache ' || s.seqcache
           || coalesce(' owned by ' || d.refobjid::regclass || ' column ' || d.refobjsubid, '')
    from pg_sequence s join pg_class c on c.oid = s.seqrelid
    left join pg_depend d on d.objid = c.oid and d.deptype = 'a'
    where c.relnamespace = 'outbox'::regnamespace
"""
_FUNCTIONS = """
    select format('function %s(%s) returns %s', p.proname, pg_get_function_arguments(p.oid),
                  pg_get_function_result(p.oid)),
           format('language %s, %s, parallel %s%s%s%s', l.lanname,
                  case p.provolatile when 'i' then 'immutable' when 's' then 'stable'
                                     else 'volatile' end,
                  case p.proparallel when 's' then 'safe' when 'r' then 'restricted'
                                     else 'unsafe' end,
                  case when p.proisstrict then ', strict' else '' end,
                  case when p.prosecdef then ', security definer' else '' end,
                  coalesce(', set ' || array_to_string(p.proconfig, ', '), '')),
           p.prosrc
    from pg_proc p join pg_language l on l.oid = p.prolang
    where p.pronamespace = 'outbox'::regnamespace
"""
_AUDIT = """
    select 'view audit.' || c.relname, string_agg(
             'column ' || to_char(a.attnum, 'FM000') || ' ' || a.attname || ' '
             || format_type(a.atttypid, a.atttypmod), E'\n' order by a.attnum),
           obj_description(c.oid, 'pg_class')
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    where c.relnamespace = 'audit'::regnamespace
    group by c.oid
    union all
    select format('function audit.%s(%s) returns %s', p.proname, pg_get_function_arguments(p.oid),
                  pg_get_function_result(p.oid)),
           case when p.prosecdef then 'security definer' end, obj_description(p.oid, 'pg_proc')
    from pg_proc p where p.pronamespace = 'audit'::regnamespace
"""
_OTHERS = """
    select 'type ' || t.typname from pg_type t
    where t.typnamespace = 'outbox'::regnamespace and t.typtype in ('e', 'd', 'r')
    union all
    select 'schema ' || nspname from pg_namespace where nspname in ('audit', 'outbox', 'whatsapp')
"""
_MONTH = re.compile(r"event_\d{4}_\d{2}")


def listing(connection: psycopg.Connection) -> str:
    """Return the schema of a database, normalised."""
    with connection.transaction(force_rollback=True):
        connection.execute("set local search_path = pg_catalog")
        connection.execute("set local timezone = 'UTC'")
        relations = connection.execute(_RELATIONS).fetchall()
        parts: dict[str, list[str]] = defaultdict(list)
        for relation, part in connection.execute(_PARTS):
            parts[relation].append(_MONTH.sub("event_MONTH", part))
        functions = connection.execute(_FUNCTIONS).fetchall()
        audit = connection.execute(_AUDIT).fetchall()
        others = [other for (other,) in connection.execute(_OTHERS)]
    shapes = {tuple(sorted(parts[name])) for name, _, _ in relations if _MONTH.fullmatch(name)}
    if len(shapes) > 1:
        raise ValueError(f"the partitions of the log differ: {shapes}")
    chapters = {
        f"{kind} {_MONTH.sub('event_MONTH', name)}": [*filter(None, [facts]), *sorted(parts[name])]
        for name, kind, facts in relations
    }
    for head, facts, body in functions:
        digest = hashlib.sha256(body.encode()).hexdigest()[:16]
        chapters[head] = [facts, f"body {digest}"]
    for head, facts, comment in audit:
        chapters[head] = [*(facts or "").splitlines(), comment or "no comment"]
    chapters |= {other: [] for other in others}
    return "".join(
        f"{head}\n" + "".join(f"  {line}\n" for line in lines) + "\n"
        for head, lines in sorted(chapters.items())
    )


def main() -> None:
    """Write the schema of a new database."""
    with (
        embedded_server() as server,
        database(server, "new") as new,
    ):
        upgrade(new)
        with psycopg.connect(new) as connection:
            sys.stdout.write(listing(connection))


if __name__ == "__main__":
    main()
