-- queue_entries: these notifications as entries of the queue, so far as they are pending.
select id, recipient, priority, position
from outbox.notification
where id = any (%(notifications)s) and state = 'pending'
