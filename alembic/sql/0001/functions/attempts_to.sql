-- Every attempt to reach a recipient, named by number, JID or id (which is all that is left of one that was erased), the
-- latest first: when, how long it took, what became of it and why. An attempt whose doubt was settled became what it was
-- settled as. `class` says why a failure did or did not count.
create function audit.attempts_to(recipient text)
returns table (account text, notification uuid, attempt integer, started_at timestamptz, took interval, outcome text,
               class text, error text, message_id text)
language sql stable parallel safe
begin atomic
  with whom as materialized (
    select i.recipient::text as id from audit.identity i where i.jid = outbox.jid(attempts_to.recipient)
    union
    select lower(attempts_to.recipient)
  )
  select f.account, f.stream, t.attempt, t.started_at,
         case when t.outcome <> 'attempt_started' then t.ended_at - t.started_at end,
         nullif(t.outcome, 'attempt_started'), t.class, t.error, t.message_id
  from audit.event f
  cross join lateral (
    -- grouped here, notification by notification, so that each is looked up and the log never joined as a whole
    select (e.data->>'attempt')::integer as attempt, min(e.recorded_at) as started_at, max(e.recorded_at) as ended_at,
           (array_agg(e.type order by e.version desc))[1] as outcome,
           (array_agg(e.data->>'class' order by e.version desc))[1] as class,
           (array_agg(e.data->>'error' order by e.version desc) filter (where e.data ? 'error'))[1] as error,
           (array_agg(e.data->>'message_id' order by e.version desc) filter (where e.data ? 'message_id'))[1] as message_id
    from audit.event e
    where e.stream = f.stream and e.type in ('attempt_started', 'sent', 'attempt_failed', 'rejected', 'attempt_unknown')
    group by (e.data->>'attempt')::integer) t
  where f.type = 'enqueued' and f.data->>'recipient' = any (array(select w.id from whom w))
  order by t.started_at desc, f.stream, t.attempt desc;
end;

comment on function audit.attempts_to is
  'Every attempt to reach a recipient, named by number, JID or id: when, how long it took, what became of it and why.';
