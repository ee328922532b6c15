-- follow_range: what one snapshot of the log sees, and an earlier one does not, in a range of positions.
-- What a follower far behind reads: the rows lie where they were written, so the BRIN index on position finds them.
-- A snapshot of a restore epoch sees all that came with the restore, and says nothing about what came after the next.
select e.position, e.recorded_at, e.account, e.stream, e.version, e.type, e.data::text, e.metadata::text
from outbox.event e
where e.position > %(after)s and e.position <= %(through)s
  and (e.position <= %(towards_restored_through)s
       or e.position <= %(towards_ended_at)s and pg_visible_in_snapshot(e.xid, %(towards)s::pg_snapshot))
  and not (e.position <= %(restored_through)s
           or e.position <= %(ended_at)s and pg_visible_in_snapshot(e.xid, %(seen)s::pg_snapshot))
order by e.position
limit %(limit)s
