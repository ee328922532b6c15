-- Records outcomes, then starts attempts, in one statement and so in one commit: the way in which an owner works.
-- Returns one row for each outcome that was no success (kind 'recorded', see outbox.record_outcomes), one for each
-- attempt that may be handed over (kind 'started', see outbox.start_attempts), and one for each that a paced session
-- must not start yet (kind 'held').
create function outbox.exchange(p_account text, p_epoch bigint, p_outcomes jsonb, p_notifications uuid[],
                                p_paced boolean default false)
returns table (kind text, notification uuid, recipient uuid, state text, on_unknown text, retry_at timestamptz,
               attempt integer, jid text, content jsonb, registered boolean, checked_at timestamptz,
               held_until timestamptz, held_by text) language plpgsql as $$
#variable_conflict use_column
begin
  if p_outcomes is not null then
    return query
      select 'recorded', r.notification, r.recipient, r.state, r.on_unknown, r.retry_at, null::integer, null,
             null::jsonb, null::boolean, null::timestamptz, null::timestamptz, null
      from outbox.record_outcomes(p_account, p_epoch, p_outcomes) r;
  end if;
  if p_notifications is not null then
    return query
      select case when s.held_by is null then 'started' else 'held' end, s.notification, null::uuid, null, null,
             null::timestamptz, s.attempt, s.jid, s.content, s.registered, s.checked_at, s.held_until, s.held_by
      from outbox.start_attempts(p_account, p_epoch, p_notifications, p_paced) s;
  end if;
end $$;
