-- Cancels those of these pending notifications whose recipient is suppressed by now. They were being sent when the
-- recipient was, and failed; or they were enqueued beside it, by a transaction that did not see it yet.
create function outbox.cancel_suppressed(p_account text, p_notifications uuid[], p_metadata jsonb) returns void
language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
begin
  if not exists (select from outbox.suppression s where s.suppressed_at is not null and s.account in (p_account, '*')) then
    return;
  end if;
  with unwanted as (
    select n.id, n.version, outbox.suppressed_because(p_account, n.recipient) as reason
    from outbox.notification n
    where n.id = any (p_notifications) and n.account = p_account and n.state = 'pending'
  )
  insert into outbox.event (account, stream, version, type, data, metadata)
  select p_account, u.id, u.version + 1, 'cancelled',
         jsonb_build_object('reason', 'the recipient is suppressed: ' || u.reason), p_metadata
  from unwanted u where u.reason is not null;
end $$;
