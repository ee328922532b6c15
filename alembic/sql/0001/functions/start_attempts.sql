-- Starts an attempt of each of these notifications that is still pending, and returns what may be handed to the
-- session. The attempt is durable, and counted, before its frame can leave. What has changed meanwhile is left out;
-- what was started already by a call whose answer was lost is returned again.
create function outbox.start_attempts(p_account text, p_epoch bigint, p_notifications uuid[])
returns table (notification uuid, attempt integer, jid text, content jsonb) language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
#variable_conflict use_column
begin
  perform outbox.check_epoch(p_account, p_epoch);

  insert into outbox.event (account, stream, version, type, data, metadata)
  select p_account, n.id, n.version + 1, 'attempt_started', jsonb_build_object('attempt', n.attempts + 1),
         jsonb_build_object('epoch', p_epoch)
  from outbox.notification n
  where n.id = any (p_notifications) and n.account = p_account
    and n.state = 'pending' and n.expires_at > statement_timestamp();

  return query
  select n.id, n.attempts, i.jid,
         case when c.body ?| '{message,quote}' then outbox.resolve_references(c.body) else c.body end
  from outbox.notification n
  join outbox.identity i using (recipient)
  left join lateral (select body from outbox.content c where c.digest = n.content limit 1) c on true
  where n.id = any (p_notifications) and n.account = p_account and n.state = 'sending';
end $$;
