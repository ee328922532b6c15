-- incident_late: which notifications the outages of a period held up, the latest first; each once, by the longest that
-- any of them made it late.
with late as (
  select distinct on (h.account, h.notification) h.*
  from audit.held_up(%(since)s, %(until)s, %(account)s) h
  order by h.account, h.notification, h.late desc
)
select l.account, l.notification, i.jid, l.began_at as outage, l.due_at, l.became, l.became_at, l.late,
       count(*) over () as total
from late l left join audit.identity i on i.recipient = l.recipient
order by l.late desc, l.due_at, l.notification
limit %(most)s
