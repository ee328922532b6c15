-- Ends every lease that was not renewed in time: a new epoch fences its owner, the connection's log says lease_lost,
-- and what was being sent is unknown from here on. Returns the accounts.
create function outbox.rescue_leases() returns table (account text) language plpgsql as $$
#variable_conflict use_column
declare
  v_lapsed text[];
begin
  -- Locked by a statement of its own: the next one then has a snapshot that sees all that the owners have started. In
  -- one statement, an attempt that was committed between its snapshot and its lock would be left as being sent.
  select array_agg(l.account) into v_lapsed
  from (select account from outbox.lease
        where owner is not null and until < statement_timestamp()
        for update skip locked) l;
  if v_lapsed is null then
    return;
  end if;

  return query
  with freed as (
    update outbox.lease l set owner = null, epoch = l.epoch + 1, wake = false
    where l.account = any (v_lapsed)
    returning l.account, l.epoch
  ), appended as (
    insert into outbox.event (account, stream, version, type, data)
    select f.account, outbox.connection_stream(f.account), coalesce(c.version, 0) + 1, 'lease_lost',
           jsonb_build_object('epoch', f.epoch)
    from freed f left join outbox.connection c using (account)
    union all
    select f.account, n.id, n.version + 1, 'attempt_unknown',
           jsonb_build_object('attempt', n.attempts, 'error', 'the worker that was sending it lost its lease')
    from freed f join outbox.notification n on n.account = f.account and n.open and n.state = 'sending'
  )
  select f.account from freed f;
end $$;
