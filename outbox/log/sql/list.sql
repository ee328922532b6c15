-- list: notifications, the newest first, behind one of them. Ids are of version 7, so their order is that of time.
-- A filter that is null filters nothing. Not to be prepared: each choice of filters needs a plan of its own.
select n.id, n.account, i.jid, c.body->>'kind' as kind, jsonb_array_length(c.body->'items') as items, n.state,
       n.priority, n.enqueued_at, n.due_at, n.expires_at, n.changed_at, n.sent_at, n.attempts, n.failures,
       n.max_attempts, n.deferred, n.on_unknown, n.message_id, n.last_error
from outbox.notification n
left join outbox.identity i using (recipient)
left join lateral (select body from outbox.content c where c.digest = n.content limit 1) c on true
where (%(after)s::uuid is null or n.id < %(after)s)
  and (%(account)s::text is null or n.account = %(account)s)
  and (%(states)s::text[] is null or n.state = any (%(states)s))
  and (not %(open)s or n.open)
  and (not %(dead)s or not n.open and n.sent_at is null)
  -- whose notification it is only the log has an index of
  and (%(recipient)s::uuid is null
       or n.id = any (array(select e.stream from outbox.event e
                            where e.type = 'enqueued' and e.data->>'recipient' = %(recipient)s::uuid::text)))
  and (%(kind)s::text is null or c.body->>'kind' = %(kind)s)
  -- the ids narrow the search, the times decide
  and (%(since)s::timestamptz is null or n.enqueued_at >= %(since)s and n.id >= %(first_id)s::uuid)
  and (%(until)s::timestamptz is null or n.enqueued_at < %(until)s and n.id <= %(last_id)s::uuid)
order by n.id desc
limit %(limit)s
