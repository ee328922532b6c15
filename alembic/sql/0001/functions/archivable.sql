-- The log's months that are over, the oldest first, and what keeps each from being moved into an archive, null where
-- nothing does: an event that is under no seal yet, or that a follower has still to read; a notification of then that
-- has not ended. Notifications that have ended keep their row, so whatever is appended to one later still fits.
create function outbox.archivable()
returns table (partition text, began_at timestamptz, ended_at timestamptz, size bigint, obstacle text)
language plpgsql stable as $$
declare
  v_first bigint;
  v_last  bigint;
begin
  for partition, began_at, ended_at, size in
    select p.name, p.month at time zone 'UTC', (p.month + interval '1 month') at time zone 'UTC', p.size
    from (
      select c.relname::text as name, to_timestamp(right(c.relname, 7), 'YYYY_MM')::timestamp as month,
             pg_total_relation_size(c.oid) as size
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'outbox.event'::regclass
    ) p
    where (p.month + interval '1 month') at time zone 'UTC' <= now()
    order by p.month
  loop
    select min(e.position), max(e.position) into v_first, v_last
    from outbox.event e where e.recorded_at >= began_at and e.recorded_at < ended_at;
    obstacle := (
      select case follower.consumer when 'seals' then 'an event is under no seal yet'
                                    else format('%s has still to read of it', follower.consumer) end
      from (select 'seals' union select c.consumer from outbox.cursor c) follower (consumer)
      where exists (select from outbox.unseen(follower.consumer, v_first - 1, v_last) u
                    where u.recorded_at >= began_at and u.recorded_at < ended_at)
      order by follower.consumer limit 1);
    obstacle := coalesce(obstacle, (
      select format('%s notifications from before its end have not ended, as %s', count(*), (array_agg(n.id order by n.id))[1])
      from outbox.notification n where n.open and n.enqueued_at < ended_at
      having count(*) > 0));
    return next;
  end loop;
end $$;
