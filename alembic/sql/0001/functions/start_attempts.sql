-- Starts an attempt of each of these notifications that is still pending, and returns what may be handed to the
-- session. The attempt is durable, and counted, before its frame can leave. What has changed meanwhile is left out, and
-- what is for somebody who is suppressed by now is cancelled.
--
-- For a paced session (see outbox.gate) not all may start: the others are returned without the number of an attempt, but
-- with held_until and held_by, which says whether the whole account waits (pace, throttled) or the recipient (strangers,
-- restricted). registered is null where the recipient's number is to be checked first, and false where a check said,
-- at checked_at, that it has no WhatsApp.
create function outbox.start_attempts(p_account text, p_epoch bigint, p_notifications uuid[], p_paced boolean default false)
returns table (notification uuid, attempt integer, jid text, content jsonb, registered boolean, checked_at timestamptz,
               held_until timestamptz, held_by text) language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
#variable_conflict use_column
declare
  v_metadata jsonb := jsonb_build_object('epoch', p_epoch);
begin
  perform outbox.check_epoch(p_account, p_epoch);
  perform outbox.cancel_suppressed(p_account, p_notifications, v_metadata);
  if p_paced then
    return query
    with gate as materialized (
      select * from outbox.gate(p_account, p_notifications)
    ), appended as (
      insert into outbox.event (account, stream, version, type, data, metadata)
      select p_account, g.id, g.version + 1, 'attempt_started',
             jsonb_strip_nulls(jsonb_build_object('attempt', g.number, 'bucket_full_at', g.bucket_full_at,
                                                  'stranger', case when g.stranger then true end)), v_metadata
      from gate g where g.held_by is null
    )
    select g.id, case when g.held_by is null then g.number end, g.jid,
           case when c.body ?| '{message,quote}' then outbox.resolve_references(c.body) else c.body end,
           g.registered, g.checked_at, g.held_until, g.held_by
    from gate g
    left join lateral (select body from outbox.content c where c.digest = g.content and g.held_by is null limit 1) c on true;
    return;
  end if;

  return query
  with attempt as materialized (
    select n.id, n.version, n.attempts + 1 as number, n.recipient, n.content
    from outbox.notification n
    where n.id = any (p_notifications) and n.account = p_account
      and n.state = 'pending' and n.expires_at > statement_timestamp()
  ), appended as (
    insert into outbox.event (account, stream, version, type, data, metadata)
    select p_account, a.id, a.version + 1, 'attempt_started', jsonb_build_object('attempt', a.number), v_metadata
    from attempt a
  )
  select a.id, a.number, i.jid,
         case when c.body ?| '{message,quote}' then outbox.resolve_references(c.body) else c.body end,
         true, null::timestamptz, null::timestamptz, null
  from attempt a
  left join outbox.identity i using (recipient)
  left join lateral (select body from outbox.content c where c.digest = a.content limit 1) c on true;
end $$;
