-- Projects the next events of the log, recorded before a moment, into a scratch schema made by outbox.begin_replay.
-- A range of positions at a time: the rows lie where they were written, so the BRIN index finds them, and each stream's
-- events come in its own order. Returns the last position of the range, or null if the log ends before it.
-- Call it again and again in one transaction that is repeatable read: what commits meanwhile may lie in any range.
create function outbox.replay(p_schema text, p_after bigint, p_until timestamptz default 'infinity', p_limit integer default 50000)
returns bigint language plpgsql
set enable_seqscan = off  -- by index, in the projections as well, whose tables nobody has analysed
as $$
begin
  if p_after >= (select last_value from outbox.event_position) then
    return null;
  end if;
  execute format('insert into %I.event
                    select * from outbox.event where position > $1 and position <= $1 + $3 and recorded_at < $2', p_schema)
    using p_after, p_until, p_limit;
  execute format('truncate %I.event', p_schema);
  return p_after + p_limit;
end $$;
