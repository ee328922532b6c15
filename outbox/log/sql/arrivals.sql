-- arrivals: what an owner's queue has gained since a snapshot of the log, and the snapshot that holds now.
-- Two index look-ups, however long the log is: transactions that began later, and those that ran then. The upper bound
-- keeps the first one short after a restore, when the log holds higher ids than the server has given out.
with now as materialized (
  select pg_current_snapshot() as snapshot
), fresh as (
  select e.stream
  from outbox.event e
  where e.account = %(account)s and e.type in ('enqueued', 'requeued')
    and e.xid >= pg_snapshot_xmax(%(seen)s::pg_snapshot)
    and e.xid < (select pg_snapshot_xmax(now.snapshot) from now)
    and e.position > %(restored_through)s
  union
  select e.stream
  from outbox.event e
  where e.account = %(account)s and e.type in ('enqueued', 'requeued')
    and e.xid = any (array(select pg_snapshot_xip(%(seen)s::pg_snapshot)))
    and e.position > %(restored_through)s
)
select now.snapshot::text, n.id, n.recipient, n.priority, n.position,
       extract(epoch from case when n.deferred then n.due_at end)::float8 as due_at,
       extract(epoch from statement_timestamp())::float8 as now
from now
left join (
  -- one look-up each, whatever the planner thinks of their number: "offset 0" keeps it from joining the whole table
  fresh cross join lateral (
    select * from outbox.notification where id = fresh.stream and state = 'pending' offset 0
  ) n
) on true
