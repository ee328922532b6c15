-- queue_page: the next notifications of an account that are due, in the order of delivery, behind a place in it.
-- The first half is read in the order of its index; the second are the few that waited for their time.
select n.id, n.recipient, n.priority, n.position
from (
  (select id, recipient, priority, position
   from outbox.notification
   where account = %(account)s and open and not deferred and state = 'pending'
     and priority = %(priority)s and position > %(position)s
   order by position limit %(limit)s)
  union all
  (select id, recipient, priority, position
   from outbox.notification
   where account = %(account)s and open and not deferred and state = 'pending' and priority < %(priority)s
   order by priority desc, position limit %(limit)s)
  union all
  (select id, recipient, priority, position
   from outbox.notification
   where account = %(account)s and open and deferred and state = 'pending' and due_at <= statement_timestamp()
     and (priority < %(priority)s or priority = %(priority)s and position > %(position)s)
   order by priority desc, position limit %(limit)s)
) n
order by n.priority desc, n.position
limit %(limit)s
