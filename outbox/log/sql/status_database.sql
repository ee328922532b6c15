-- status_database: the database's clock, which restore this is, and up to when the log has partitions.
select statement_timestamp() as now, current_database() as database,
       current_setting('server_version') as server_version,
       r.epoch as restore_epoch, r.began_at as restored_at, p.partitions, p.partitions_until
from (select epoch, began_at from outbox.restore_epoch order by epoch desc limit 1) r
cross join (
  select count(*) as partitions,
         max(substring(pg_get_expr(c.relpartbound, c.oid) from $$TO \('([^']+)'\)$$)::timestamptz) as partitions_until
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
  where i.inhparent = 'outbox.event'::regclass
) p
