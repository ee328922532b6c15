-- Projects events that an archive gives back as lines (outbox.event_line), recorded before a moment, into a scratch schema
-- made by outbox.begin_replay: months that are in the database no more, the oldest first, before outbox.replay.
create function outbox.replay_lines(p_schema text, p_lines jsonb, p_until timestamptz default 'infinity')
returns void language plpgsql
set enable_seqscan = off  -- by index, in the projections as well, whose tables nobody has analysed
as $$
begin
  execute format('insert into %I.event select * from outbox.events_of($1) where recorded_at < $2', p_schema)
    using p_lines, p_until;
  execute format('truncate %I.event', p_schema);
end $$;
