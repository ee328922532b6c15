-- unsealed: of events that are under no seal, who they are, and whether one should be over them. That is so if the
-- follower that makes seals has seen what its cursor says, or if the transaction that they name has not begun, which
-- no event's is.
select e.position, e.account, e.stream, e.version, e.type, e.recorded_at,
       case when e.position <= seen.restored_through or e.position <= seen.ended_at and pg_visible_in_snapshot(e.xid, c.snapshot)
            then true
            when c.towards is not null and e.position <= c.position
            then e.position <= towards.restored_through
                 or e.position <= towards.ended_at and pg_visible_in_snapshot(e.xid, c.towards)
            else e.position > now.restored_through and e.xid >= pg_snapshot_xmax(pg_current_snapshot())
       end as forgotten
from outbox.event e
left join outbox.cursor c on c.consumer = %(consumer)s
left join lateral (
  select (select restored_through from outbox.restore_epoch where epoch = c.epoch) as restored_through,
         coalesce((select restored_through from outbox.restore_epoch where epoch = c.epoch + 1), 9223372036854775807) as ended_at
) seen on true
left join lateral (
  select (select restored_through from outbox.restore_epoch where epoch = c.towards_epoch) as restored_through,
         coalesce((select restored_through from outbox.restore_epoch where epoch = c.towards_epoch + 1), 9223372036854775807) as ended_at
) towards on true
cross join lateral (
  select restored_through from outbox.restore_epoch order by epoch desc limit 1
) now
where e.position = any (%(positions)s)
  -- there may be another one at the same position
  and sha256(convert_to(outbox.event_line(e), 'UTF8')) = any (%(digests)s)
order by e.position
