-- Starts an attempt of each of these notifications that is still pending, and returns what may be handed to the
-- session. The attempt is durable, and counted, before its frame can leave. What has changed meanwhile is left out.
create function outbox.start_attempts(p_account text, p_epoch bigint, p_notifications uuid[])
returns table (notification uuid, attempt integer, jid text, content jsonb) language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
#variable_conflict use_column
declare
  v_metadata jsonb := jsonb_build_object('epoch', p_epoch);
begin
  perform outbox.check_epoch(p_account, p_epoch);
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
         case when c.body ?| '{message,quote}' then outbox.resolve_references(c.body) else c.body end
  from attempt a
  left join outbox.identity i using (recipient)
  left join lateral (select body from outbox.content c where c.digest = a.content limit 1) c on true;
end $$;
