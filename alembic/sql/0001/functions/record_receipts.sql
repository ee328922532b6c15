-- Records what recipients' devices reported: a JSON array of {"message_id", "type"}, type delivered, read or played.
-- A receipt proves that the message arrived, so it settles an unknown outcome as sent; but not that of an album, whose
-- message id is that of its first message, which proves nothing of those that follow. Receipts for messages that the
-- outbox did not send, and those that say nothing new, are left out. Returns the notifications that it settled.
create function outbox.record_receipts(p_account text, p_epoch bigint, p_receipts jsonb)
returns table (notification uuid) language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
#variable_conflict use_column
begin
  perform outbox.check_epoch(p_account, p_epoch);
  return query
  with receipt as materialized (
    -- of several receipts for one message the furthest says all
    select distinct on (n.id) n.id, n.version, n.state, n.recipient, n.attempts, r.type,
           case when n.state = 'unknown' and (c.first_sent_at is null or c.failures > 0) then 0 end as recipient_failures
    from jsonb_to_recordset(p_receipts) as r (message_id text, type text)
    join outbox.notification n on n.account = p_account and n.message_id = r.message_id
     and n.state = any (case r.type when 'delivered' then '{unknown,sent}'
                                    when 'read'      then '{unknown,sent,delivered}'
                                    when 'played'    then '{unknown,sent,delivered,read}' end::text[])
    left join outbox.recipient c on c.account = p_account and c.recipient = n.recipient
    where n.state <> 'unknown'
       or not exists (select from outbox.content b where b.digest = n.content and b.body->>'kind' = 'album')
    order by n.id, array_position('{delivered,read,played}', r.type) desc
  ), appended as (
    insert into outbox.event (account, stream, version, type, data, metadata)
    select p_account, r.id, r.version + 1, 'sent',
           jsonb_strip_nulls(jsonb_build_object(
             'attempt', r.attempts, 'evidence', 'receipt', 'recipient_failures', r.recipient_failures,
             'recipient', case when r.recipient_failures is not null then r.recipient end)),
           jsonb_build_object('epoch', p_epoch)
    from receipt r where r.state = 'unknown'
    union all
    select p_account, r.id, r.version + case r.state when 'unknown' then 2 else 1 end, r.type, '{}',
           jsonb_build_object('epoch', p_epoch)
    from receipt r
  )
  select r.id from receipt r where r.state = 'unknown';
end $$;
