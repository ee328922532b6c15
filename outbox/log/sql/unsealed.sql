-- unsealed: of events that are under no seal, who they are, and whether a seal should be over them. That is so if the
-- follower that makes seals has read what its cursor says, or if the transaction that they name has not begun, which
-- no event's is. A range of positions is read once, however many they are; there may be others at the same position.
with unseen as materialized (
  select u.position from outbox.unseen(%(consumer)s, %(first)s - 1, %(last)s) u
)
select e.position, e.account, e.stream, e.version, e.type, e.recorded_at,
       e.position not in (select position from unseen)
         or e.position > (select max(restored_through) from outbox.restore_epoch)
            and e.xid >= pg_snapshot_xmax(pg_current_snapshot()) as forgotten
from unnest(%(positions)s::bigint[], %(digests)s::bytea[]) as given (position, digest)
join outbox.event e on e.position = given.position
where e.position >= %(first)s and e.position <= %(last)s
  and sha256(convert_to(outbox.event_line(e), 'UTF8')) = given.digest
order by e.position
