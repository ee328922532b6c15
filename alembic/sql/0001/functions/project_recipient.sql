-- Projects what is known of recipients: failures and successes into outbox.recipient, the retry counters; the events of
-- their own streams into outbox.suppression. One function for both, since a trigger more would cost every enqueue.
--
-- An event that starts, continues or ends a row of failures says so itself (`recipient_failures`), and of two such
-- events the later in the log wins; `failed_attempts` is a sum and `first_sent_at` a minimum. So the order of
-- projecting is free, though a recipient is told of by many streams.
-- Of a recipient's own stream the versions are held as in outbox.project_notification: the next one or none.
create function outbox.project_recipient() returns trigger language plpgsql
set search_path = outbox, pg_temp as $$
declare
  v_left    integer;  -- events of recipients' streams that have not been applied
  v_applied integer;
begin
  if not exists (select from added where data ? 'recipient_failures' or type = any (outbox.recipient_types())) then
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

  select count(*) into v_left from added where type = any (outbox.recipient_types());
  if v_left > 0 then
    insert into suppression (recipient, account, stream, version)
    select (data->>'recipient')::uuid, account, stream, 0
    from added where version = 1 and type = any (outbox.recipient_types())
    on conflict do nothing;
  end if;
  while v_left > 0 loop
    update suppression s set
      version       = a.version,
      suppressed_at = case a.type when 'suppressed' then a.recorded_at end,
      reason        = case a.type when 'suppressed' then a.data->>'reason' end,
      forgotten_at  = case a.type when 'forgotten' then a.recorded_at else s.forgotten_at end
    from added a
    where a.type = any (outbox.recipient_types()) and s.stream = a.stream and s.version = a.version - 1;
    get diagnostics v_applied = row_count;
    if v_applied = 0 then
      perform outbox.refuse('version_conflict', (
        select string_agg(format('%s version %s of recipient %s, which is at version %s', a.type, a.version,
                                 a.data->>'recipient', coalesce(s.version, 0)), '; ')
        from added a left join suppression s using (stream) where a.type = any (outbox.recipient_types())));
    end if;
    v_left := v_left - v_applied;
  end loop;
  return null;
end $$;
