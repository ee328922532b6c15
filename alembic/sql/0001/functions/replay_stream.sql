-- Projects the next events of one stream, those of the versions behind one and through another, into a scratch schema
-- made by outbox.begin_replay. What the schema holds then is what this stream alone has told.
create function outbox.replay_stream(p_schema text, p_stream uuid, p_after integer, p_through integer)
returns void language plpgsql
set enable_seqscan = off  -- by index, however long the log is
as $$
begin
  execute format('insert into %I.event
                    select * from outbox.event where stream = $1 and version > $2 and version <= $3', p_schema)
    using p_stream, p_after, p_through;
  execute format('truncate %I.event', p_schema);
end $$;
