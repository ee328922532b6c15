-- sealed_events: who the events at these positions are, as far as the database still knows: of one that is gone, the
-- notification that it began.
select e.position, e.account, e.stream, e.version, e.type, e.recorded_at
from outbox.event e
where e.position >= %(first)s and e.position <= %(last)s and e.position = any (%(positions)s)
union all
select n.position, n.account, n.id, 1, 'enqueued', n.enqueued_at
from outbox.notification n
where n.position = any (%(positions)s)
  and not exists (select from outbox.event e where e.stream = n.id and e.version = 1)
