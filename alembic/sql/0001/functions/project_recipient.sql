-- Projects failures and successes into outbox.recipient: the retry counters of each recipient.
--
-- An event that starts, continues or ends a row of failures says so itself (`recipient_failures`), and of two such
-- events the later in the log wins; `failed_attempts` is a sum and `first_sent_at` a minimum. So the order of
-- projecting is free, though a recipient is told of by many streams.
create function outbox.project_recipient() returns trigger language plpgsql
set search_path = outbox, pg_temp as $$
begin
  if not exists (select from added where data ? 'recipient_failures') then
    return null;
  end if;
  with told as (
    select account, (data->>'recipient')::uuid as recipient, position, recorded_at, type, data
    from added where data ? 'recipient_failures'
  ), total as (
    select account, recipient, count(*) filter (where type = 'attempt_failed') as failed_attempts,
           min(recorded_at) filter (where type = 'sent') as first_sent_at
    from told group by account, recipient
  ), latest as (
    select distinct on (account, recipient) * from told order by account, recipient, position desc
  )
  insert into recipient as r (account, recipient, failures, failed_attempts, retry_at, last_error, first_sent_at, position)
  select account, recipient, (l.data->>'recipient_failures')::integer, t.failed_attempts,
         (l.data->>'retry_at')::timestamptz, l.data->>'error', t.first_sent_at, l.position
  from latest l join total t using (account, recipient)
  order by account, recipient
  on conflict (account, recipient) do update set
    failures        = case when excluded.position > r.position then excluded.failures   else r.failures end,
    retry_at        = case when excluded.position > r.position then excluded.retry_at   else r.retry_at end,
    last_error      = case when excluded.position > r.position then excluded.last_error else r.last_error end,
    position        = greatest(excluded.position, r.position),
    failed_attempts = r.failed_attempts + excluded.failed_attempts,
    first_sent_at   = least(r.first_sent_at, excluded.first_sent_at);
  return null;
end $$;
