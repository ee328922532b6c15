-- The schemas that outbox.begin_replay has made and nobody has dropped, with what was noted of each.
create function outbox.replays() returns table (schema text, note jsonb, bytes bigint) language sql stable as $$
  select n.nspname::text, substr(d.description, length('outbox replay ') + 1)::jsonb,
         (select coalesce(sum(pg_total_relation_size(c.oid)), 0) from pg_class c
          where c.relnamespace = n.oid and c.relkind = 'r')::bigint
  from pg_namespace n
  join pg_description d on d.classoid = 'pg_namespace'::regclass and d.objoid = n.oid
  where d.description like 'outbox replay {%'
  order by n.nspname
$$;
