-- unsealed: of events that are under no seal, who they are, and whether a seal should be over them. That is so if the
-- follower that makes seals has read what its cursor says, or if the transaction that they name has not begun, which
-- no event's is.
select e.position, e.account, e.stream, e.version, e.type, e.recorded_at,
       not exists (select from outbox.unseen(%(consumer)s, e.position - 1, e.position) u where u.position = e.position)
         or e.position > (select max(restored_through) from outbox.restore_epoch)
            and e.xid >= pg_snapshot_xmax(pg_current_snapshot()) as forgotten
from outbox.event e
where e.position = any (%(positions)s)
  -- there may be another one at the same position
  and sha256(convert_to(outbox.event_line(e), 'UTF8')) = any (%(digests)s)
order by e.position
