-- follow: what the log has gained since a snapshot, in the order of positions, and the snapshot that holds now.
-- Two index look-ups, however long the log is: transactions that began later, and those that ran then. The upper bound
-- keeps the first one short after a restore, when the log holds higher ids than the server has given out.
with now as materialized (
  select outbox.current_snapshot() as snapshot
), fresh as (
  select e.*
  from outbox.event e
  where e.xid >= pg_snapshot_xmax(%(seen)s::pg_snapshot)
    and e.xid < (select pg_snapshot_xmax(now.snapshot) from now)
    and pg_visible_in_snapshot(e.xid, (select now.snapshot from now))
    and e.position > %(restored_through)s
  union all
  select e.*
  from outbox.event e
  where e.xid = any (array(select pg_snapshot_xip(%(seen)s::pg_snapshot)))
    and pg_visible_in_snapshot(e.xid, (select now.snapshot from now))
    and e.position > %(restored_through)s
)
select now.snapshot::text, e.position, e.recorded_at, e.account, e.stream, e.version, e.type, e.data::text, e.metadata::text
from now left join (select * from fresh order by position limit %(limit)s) e on true
order by e.position
