-- Records outcomes, then starts attempts, in one statement and so in one commit: the way in which an owner works.
-- Returns one row for each outcome that was no success (kind 'recorded', see outbox.record_outcomes) and one for each
-- attempt that may be handed over (kind 'started', see outbox.start_attempts).
create function outbox.exchange(p_account text, p_epoch bigint, p_outcomes jsonb, p_notifications uuid[])
returns table (kind text, notification uuid, recipient uuid, state text, on_unknown text, retry_at timestamptz,
               attempt integer, jid text, content jsonb) language plpgsql as $$
#variable_conflict use_column
begin
  if p_outcomes is not null then
    return query
      select 'recorded', r.notification, r.recipient, r.state, r.on_unknown, r.retry_at, null::integer, null, null::jsonb
      from outbox.record_outcomes(p_account, p_epoch, p_outcomes) r;
  end if;
  if p_notifications is not null then
    return query
      select 'started', s.notification, null::uuid, null, null, null::timestamptz, s.attempt, s.jid, s.content
      from outbox.start_attempts(p_account, p_epoch, p_notifications) s;
  end if;
end $$;
