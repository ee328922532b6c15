-- queue_ripe: what has come due since a moment, and the next moment at which something will.
with now as materialized (
  select statement_timestamp() as now
), ripe as (
  select id, recipient, priority, position
  from outbox.notification, now
  where account = %(account)s and open and deferred and state = 'pending'
    and due_at > to_timestamp(%(since)s) and due_at <= now.now
), next as (
  select min(due_at) as due_at
  from outbox.notification, now
  where account = %(account)s and open and deferred and state = 'pending' and due_at > now.now
)
select extract(epoch from now.now)::float8, extract(epoch from next.due_at)::float8,
       ripe.id, ripe.recipient, ripe.priority, ripe.position
from now cross join next left join ripe on true
