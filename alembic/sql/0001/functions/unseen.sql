-- The events in a range of positions that a named follower has not read yet: all of them if there is no such follower.
-- What it has read is what its snapshot sees, and of a later one what lies up to its position; of a restore epoch that
-- is over, all that came with the restore that ended it, and nothing that came after (outbox.restore_epoch).
-- Of the language sql and without settings of its own, so that it becomes a part of the query that calls it.
create function outbox.unseen(p_consumer text, p_after bigint, p_through bigint) returns setof outbox.event
language sql stable as $$
  select e.*
  from outbox.event e
  left join (
    select c.snapshot, c.towards, c.position,
           coalesce(began.restored_through, 0) as restored_through,
           coalesce(ended.restored_through, 9223372036854775807) as ended_at,
           coalesce(towards_began.restored_through, 0) as towards_restored_through,
           coalesce(towards_ended.restored_through, 9223372036854775807) as towards_ended_at
    from outbox.cursor c
    left join outbox.restore_epoch began on began.epoch = c.epoch
    left join outbox.restore_epoch ended on ended.epoch = c.epoch + 1
    left join outbox.restore_epoch towards_began on towards_began.epoch = c.towards_epoch
    left join outbox.restore_epoch towards_ended on towards_ended.epoch = c.towards_epoch + 1
    where c.consumer = p_consumer
  ) f on true
  where e.position > p_after and e.position <= p_through
    and (e.position <= f.restored_through
         or e.position <= f.ended_at and pg_visible_in_snapshot(e.xid, f.snapshot)
         or e.position <= f.position
            and (e.position <= f.towards_restored_through
                 or e.position <= f.towards_ended_at and pg_visible_in_snapshot(e.xid, f.towards))) is not true
$$;
