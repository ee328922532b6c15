-- Projects the next events of the log, recorded before a moment, into a scratch schema made by outbox.begin_replay.
-- In the order of positions, which keeps each stream's own. Returns the last position, or null at the end.
create function outbox.replay(p_schema text, p_after bigint, p_until timestamptz default 'infinity', p_limit integer default 10000)
returns bigint language plpgsql as $$
declare
  v_last bigint;
begin
  execute format(
    'with batch as (insert into %I.event
       select * from outbox.event where position > $1 and recorded_at < $2 order by position limit $3
       returning position)
     select max(position) from batch', p_schema)
    into v_last using p_after, p_until, p_limit;
  execute format('truncate %I.event', p_schema);
  return v_last;
end $$;
