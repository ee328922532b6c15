-- Projects what the log has gained since a snapshot into a scratch schema made by outbox.begin_replay, and returns the
-- snapshot that holds now and how many events these were. As a follower reads (outbox.log.follow): two index look-ups,
-- transactions that began later and those that ran then. What came with a restore, up to p_restored_through, is no news.
-- Not in a transaction that is repeatable read, which has one snapshot for ever.
create function outbox.replay_since(p_schema text, p_seen pg_snapshot, p_restored_through bigint)
returns table (seen pg_snapshot, events bigint) language plpgsql
set enable_seqscan = off  -- by index, in the projections as well
as $$
begin
  seen := outbox.current_snapshot();
  execute format('insert into %I.event
                    select * from outbox.event
                    where xid >= pg_snapshot_xmax($1) and xid < pg_snapshot_xmax($2)
                      and pg_visible_in_snapshot(xid, $2) and position > $3
                    union all
                    select * from outbox.event
                    where xid = any (array(select pg_snapshot_xip($1)))
                      and pg_visible_in_snapshot(xid, $2) and position > $3', p_schema)
    using p_seen, seen, p_restored_through;
  get diagnostics events = row_count;
  execute format('truncate %I.event', p_schema);
  return next;
end $$;
