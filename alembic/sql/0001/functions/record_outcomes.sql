-- Records what became of attempts: a JSON array of {"notification", "attempt", "type", "message_id", "error",
-- "registered"}. The last says whether the recipient's number has WhatsApp, if that was asked. type is one of
--   sent         the server acknowledged it
--   failed       refused this time: counted, and the recipient waits for the retry
--   rejected     refused for good
--   not_sent     no frame can have left: not counted, due again at once
--   unknown      a frame may have left; with a message id where a trace gave one
--   never_left   it was unknown, and no trace proves that no frame left: counted (it may be what kills its worker),
--                due again at once
--   throttled    refused because the account sends too much (429): not counted, due again at once, but the account
--                sends nothing for a minute, twice as long for each throttle within an hour of the last one's end, at
--                most an hour; those that were out together are one
--   restricted   refused for good because the account may not write to strangers (463): for a day it writes to none
-- An outcome that was recorded already, or that another attempt has overtaken, is left out, so a call whose answer was
-- lost can be repeated. Returns what has become of those that it records and that were not sent.
create function outbox.record_outcomes(p_account text, p_epoch bigint, p_outcomes jsonb)
returns table (notification uuid, recipient uuid, state text, on_unknown text, retry_at timestamptz) language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
#variable_conflict use_column
declare
  v_policy   outbox.policy := outbox.policy_of(p_account);
  v_metadata jsonb         := jsonb_build_object('epoch', p_epoch);
begin
  perform outbox.check_epoch(p_account, p_epoch);
  return query
  with outcome as materialized (
    select n.id, n.version, n.recipient, n.on_unknown, o.attempt, o.type, o.message_id, o.error, o.registered,
           o.type in ('failed', 'never_left') and n.failures + 1 >= n.max_attempts as exhausted,
           case when o.type = 'failed' then coalesce(r.failures, 0) + 1
                when o.type = 'sent' and (r.first_sent_at is null or r.failures > 0) then 0 end as recipient_failures,
           case when o.type = 'failed' then statement_timestamp() + outbox.retry_delay(
                coalesce(r.failures, 0) + 1, coalesce(n.retry_after, v_policy.retry_after),
                coalesce(n.retry_limit, v_policy.retry_limit), v_policy.jitter) end as retry_at
    from jsonb_to_recordset(p_outcomes)
           as o (notification uuid, attempt integer, type text, message_id text, error text, registered boolean)
    join outbox.notification n on n.id = o.notification and n.account = p_account and n.attempts = o.attempt
     and (n.state = 'sending'
          or n.state = 'unknown' and (o.type in ('sent', 'never_left')
                                      or o.type = 'unknown' and o.message_id <> coalesce(n.message_id, '')))
    left join outbox.recipient r on r.account = p_account and r.recipient = n.recipient
  ), checked as (
    update outbox.identity i set registered = o.registered, checked_at = statement_timestamp()
    from outcome o where o.registered is not null and i.recipient = o.recipient
  ), refused as (
    -- what WhatsApp holds against the account, not against the message
    select r.type, r.error, c.stream, c.version + (row_number() over (order by r.type))::integer as version,
           case when c.throttled_until > statement_timestamp() - interval '1 hour' then c.throttles + 1 else 1 end
             as throttles
    from (select distinct on (o.type) o.type, o.error from outcome o where o.type in ('throttled', 'restricted')) r
    join outbox.connection c on c.account = p_account
     and (r.type = 'restricted' or c.throttled_until is null or c.throttled_until <= statement_timestamp())
  ), appended as (
    insert into outbox.event (account, stream, version, type, data, metadata)
    select p_account, o.id, o.version + 1,
           case o.type when 'sent' then 'sent' when 'rejected' then 'rejected' when 'restricted' then 'rejected'
                       when 'unknown' then 'attempt_unknown' else 'attempt_failed' end,
           case when o.type = 'sent' and o.recipient_failures is null
                then jsonb_build_object('attempt', o.attempt, 'message_id', o.message_id)
                else jsonb_strip_nulls(jsonb_build_object(
                  'attempt', o.attempt, 'message_id', o.message_id, 'error', o.error,
                  'class', case o.type when 'failed' then 'transient' when 'not_sent' then 'not_sent'
                                       when 'never_left' then 'never_left' when 'throttled' then 'throttled' end,
                  'retry_at', o.retry_at, 'recipient_failures', o.recipient_failures,
                  'recipient', case when o.recipient_failures is not null then o.recipient end)) end,
           v_metadata
    from outcome o
    union all
    select p_account, o.id, o.version + 2, 'exhausted', jsonb_build_object('attempt', o.attempt), v_metadata
    from outcome o where o.exhausted
    union all
    select p_account, r.stream, r.version, r.type,
           jsonb_strip_nulls(case r.type
             when 'throttled' then jsonb_build_object(
               'throttles', r.throttles, 'reason', r.error,
               'until', statement_timestamp() + outbox.retry_delay(r.throttles, '1 minute', '1 hour', 0.2))
             else jsonb_build_object('reason', r.error, 'until', statement_timestamp() + interval '24 hours') end),
           v_metadata
    from refused r
  )
  select o.id, o.recipient,
         case when o.exhausted then 'exhausted' when o.type in ('unknown', 'rejected') then o.type
              when o.type = 'restricted' then 'rejected' else 'pending' end,
         o.on_unknown, o.retry_at
  from outcome o where o.type <> 'sent';
end $$;
