-- Projects the events of notifications into outbox.notification: the pending queue and what became of each.
--
--   pending -> sending -> sent -> delivered -> read -> played
--   sending -> pending (failed), or unknown (it may have left), or rejected
--   pending, unknown -> expired, exhausted, cancelled;  these, rejected and unknown -> pending (requeued)
--
-- It runs once a statement, over all events that the statement appended, and knows nothing but those events and the
-- rows of their own streams, so live and replayed agree in any order that keeps each stream's own.
-- An event is applied on exactly its stream's version before it, in a state that it may follow; otherwise the whole
-- statement is refused, so of two writers one loses cleanly. Several events of one stream are applied in order of
-- version: what the version does not let in yet waits for the next time round.
create function outbox.project_notification() returns trigger language plpgsql
set search_path = outbox, pg_temp
set enable_seqscan = off  -- always by key: a plan made while the table was small must not stay
as $$
declare
  v_types   text[];
  v_left    integer;  -- events that have not been applied
  v_before  integer;
  v_applied integer;
begin
  insert into notification (id, account, recipient, content, state, version, priority, position, enqueued_at,
                            due_at, expires_at, changed_at, max_attempts, deferred, on_unknown,
                            retry_after, retry_limit, open, unsettled)
  select a.stream, a.account, (a.data->>'recipient')::uuid, decode(a.data->>'content', 'hex'), 'pending', 1,
         (a.data->>'priority')::smallint, a.position, a.recorded_at,
         coalesce((a.data->>'due_at')::timestamptz, a.recorded_at), (a.data->>'expires_at')::timestamptz, a.recorded_at,
         (a.data->>'max_attempts')::integer, a.data ? 'due_at', a.data->>'on_unknown',
         (a.data->>'retry_after')::interval, (a.data->>'retry_limit')::interval, true, false
  from added a where a.type = 'enqueued' and a.version = 1;
  get diagnostics v_applied = row_count;

  if not exists (select from added where type <> 'enqueued' or version <> 1) then
    return null;
  end if;
  select array_agg(distinct type), count(*) - v_applied into v_types, v_left
  from added where type <> all (outbox.connection_types() || outbox.recipient_types());

  while v_left > 0 loop
    v_before := v_left;

    if 'attempt_started' = any (v_types) then
      update notification n set
        state = 'sending', version = a.version, changed_at = a.recorded_at, attempts = n.attempts + 1, message_id = null,
        approaching = a.data ? 'stranger'
      from added a
      where a.type = 'attempt_started' and n.id = a.stream and n.version = a.version - 1 and n.state = 'pending';
      get diagnostics v_applied = row_count;
      v_left := v_left - v_applied;
    end if;

    if 'attempt_unknown' = any (v_types) then
      update notification n set
        state = 'unknown', unsettled = true, version = a.version, changed_at = a.recorded_at,
        message_id = coalesce(a.data->>'message_id', n.message_id), last_error = coalesce(a.data->>'error', n.last_error)
      from added a
      where a.type = 'attempt_unknown' and n.id = a.stream and n.version = a.version - 1
        and n.state in ('sending', 'unknown');
      get diagnostics v_applied = row_count;
      v_left := v_left - v_applied;
    end if;

    if 'attempt_failed' = any (v_types) then
      update notification n set
        state = 'pending', unsettled = false, approaching = false, version = a.version, changed_at = a.recorded_at,
        failures = n.failures + case when a.data->>'class' in ('not_sent', 'throttled') then 0 else 1 end,
        due_at = coalesce((a.data->>'retry_at')::timestamptz, n.due_at), deferred = n.deferred or a.data ? 'retry_at',
        last_error = a.data->>'error'
      from added a
      where a.type = 'attempt_failed' and n.id = a.stream and n.version = a.version - 1
        and n.state in ('sending', 'unknown');
      get diagnostics v_applied = row_count;
      v_left := v_left - v_applied;
    end if;

    if 'sent' = any (v_types) then
      update notification n set
        state = 'sent', open = false, unsettled = false, approaching = false, version = a.version,
        changed_at = a.recorded_at, sent_at = a.recorded_at,
        message_id = coalesce(a.data->>'message_id', n.message_id)
      from added a
      where a.type = 'sent' and n.id = a.stream and n.version = a.version - 1 and n.state in ('sending', 'unknown');
      get diagnostics v_applied = row_count;
      v_left := v_left - v_applied;
    end if;

    if v_types && '{delivered,read,played}' then
      update notification n set state = a.type, version = a.version, changed_at = a.recorded_at
      from added a
      where a.type in ('delivered', 'read', 'played') and n.id = a.stream and n.version = a.version - 1
        and n.state = any (case a.type when 'delivered' then '{sent}'
                                       when 'read'      then '{sent,delivered}'
                                       when 'played'    then '{sent,delivered,read}' end::text[]);
      get diagnostics v_applied = row_count;
      v_left := v_left - v_applied;
    end if;

    if v_types && '{rejected,expired,exhausted,cancelled}' then
      update notification n set
        state = a.type, open = false, unsettled = false, approaching = false, version = a.version,
        changed_at = a.recorded_at, last_error = coalesce(a.data->>'error', n.last_error)
      from added a
      where a.type in ('rejected', 'expired', 'exhausted', 'cancelled') and n.id = a.stream and n.version = a.version - 1
        and n.state = any (case a.type when 'rejected'  then '{sending}'
                                       when 'exhausted' then '{pending}'
                                       else '{pending,unknown}' end::text[]);
      get diagnostics v_applied = row_count;
      v_left := v_left - v_applied;
    end if;

    if 'requeued' = any (v_types) then
      update notification n set
        state = 'pending', open = true, unsettled = false, approaching = false, version = a.version,
        changed_at = a.recorded_at, failures = 0, due_at = a.recorded_at, deferred = false,
        expires_at = (a.data->>'expires_at')::timestamptz, message_id = null, last_error = null
      from added a
      where a.type = 'requeued' and n.id = a.stream and n.version = a.version - 1
        and n.state in ('rejected', 'expired', 'exhausted', 'cancelled', 'unknown');
      get diagnostics v_applied = row_count;
      v_left := v_left - v_applied;
    end if;

    if v_left = v_before then
      -- one that was not applied, as far as can be told: the others may have been
      perform outbox.refuse('version_conflict', (
        select format('%s version %s of %s, which is %s', a.type, a.version, a.stream,
                      coalesce(n.state || ' at version ' || n.version, 'not there'))
        from added a left join notification n on n.id = a.stream
        where a.type <> all (outbox.connection_types() || outbox.recipient_types())
        order by (n.version >= a.version and n.changed_at >= a.recorded_at) is true, a.position limit 1));
    end if;
  end loop;
  return null;
end $$;
