-- followers: how far each named follower is behind: the positions given out since the first event that it has not seen
-- (so an upper bound: positions of transactions rolled back count, as do later ones that it may have seen), and the age of
-- that event. Each is one index look-up, however far behind it is: by transaction id where it keeps up, as in follow;
-- by position where it reads ranges.
with now as materialized (
  select outbox.current_snapshot() as snapshot, r.epoch, r.restored_through,
         (select last_value from outbox.event_position) as position
  from outbox.restore_epoch r order by r.epoch desc limit 1
)
select c.consumer, coalesce(now.position - unseen.position + 1, 0) as positions,
       coalesce(extract(epoch from statement_timestamp() - unseen.recorded_at), 0)::double precision as seconds,
       unseen.position
from outbox.cursor c
cross join now
cross join lateral (
  select c.towards is null and c.epoch = now.epoch as keeps_up,
         coalesce(c.position, (select r.restored_through from outbox.restore_epoch r where r.epoch = c.epoch + 1), 0)
           as position
) at
left join lateral (
  select found.position, found.recorded_at
  from (
    (select e.position, e.recorded_at from outbox.event e
     where at.keeps_up and e.xid >= pg_snapshot_xmax(c.snapshot) and e.xid < pg_snapshot_xmax(now.snapshot)
       and e.position > now.restored_through
     order by e.xid limit 1)
    union all
    (select e.position, e.recorded_at from outbox.event e
     where at.keeps_up and e.xid = any (array(select pg_snapshot_xip(c.snapshot)))
       and e.position > now.restored_through
     order by e.xid limit 1)
    union all
    (select e.position, e.recorded_at from outbox.event e
     where not at.keeps_up and e.position > at.position and e.position <= at.position + 10000
     order by e.position limit 1)
  ) found
  order by found.position limit 1
) unseen on true
order by c.consumer
