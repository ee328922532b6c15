-- requeue_count: how many the same choice of requeue.sql would give a new start.
select count(*)
from outbox.notification n
where (case when %(unsettled)s then n.unsettled else not n.open and n.sent_at is null end)
  and n.state = any (%(states)s)
  and (%(account)s::text is null or n.account = %(account)s)
  and (%(error_like)s::text is null or n.last_error ilike %(error_like)s)
  and exists (select from outbox.content c where c.digest = n.content)
  and exists (select from outbox.identity i where i.recipient = n.recipient)
  and outbox.suppressed_because(n.account, n.recipient) is null
