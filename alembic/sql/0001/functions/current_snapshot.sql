-- The snapshot of now, for followers of the log: what it sees, they have seen. PostgreSQL leaves the asking transaction
-- itself out of the running ones, as though its events were old; here it counts as running, so they are news later.
create function outbox.current_snapshot() returns pg_snapshot language sql stable as $$
  select concat(pg_snapshot_xmin(s.now), ':', pg_snapshot_xmax(s.now), ':',
                (select string_agg(r.xid::text, ',' order by r.xid)
                 from (select pg_snapshot_xip(s.now) union select pg_current_xact_id_if_assigned()) r (xid)
                 where r.xid < pg_snapshot_xmax(s.now)))::pg_snapshot
  from pg_current_snapshot() s (now)
$$;
