-- Ends every lease that was not renewed in time: a new epoch fences its owner, the connection's log says lease_lost,
-- and what was being sent is unknown from here on. Returns the accounts.
create function outbox.rescue_leases() returns table (account text) language plpgsql as $$
#variable_conflict use_column
begin
  return query
  with lapsed as (
    select l.account from outbox.lease l
    where l.owner is not null and l.until < statement_timestamp()
    for update skip locked
  ), freed as (
    update outbox.lease l set owner = null, epoch = l.epoch + 1, wake = false
    from lapsed where l.account = lapsed.account
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
