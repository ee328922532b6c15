-- show: everything that is known about one notification, its events aside.
select n.id, n.account, i.jid, c.body, encode(n.content, 'hex') as digest, n.state, n.version, n.priority,
       n.enqueued_at, n.due_at, n.expires_at, n.changed_at, n.sent_at, n.attempts, n.failures, n.max_attempts,
       n.deferred, n.on_unknown, n.message_id, n.last_error,
       m.mime, m.size,
       r.retry_at as recipient_retry_at, coalesce(r.failures, 0) as recipient_failures,
       co.state as connection_state, co.reconnect_at,
       l.owner is not null and l.until >= statement_timestamp() as owned,
       coalesce((select p.grace from outbox.policy_of(n.account) p), '0') as grace,
       statement_timestamp() as now
from outbox.notification n
left join outbox.identity i using (recipient)
left join lateral (select body from outbox.content c where c.digest = n.content limit 1) c on true
left join lateral (
  -- the size of all, if none has been erased, and the type of one that is alone
  select case when count(*) = 1 then min(m.mime) end as mime,
         case when count(*) = count(m.digest) then sum(m.size)::bigint end as size
  from outbox.content_media(c.body) d left join outbox.media m using (digest)
) m on true
left join outbox.recipient r on r.account = n.account and r.recipient = n.recipient
left join outbox.connection co on co.account = n.account
left join outbox.lease l on l.account = n.account
where n.id = %(id)s
