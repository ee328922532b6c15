-- incident_held: of each account, what the outages of a period held up: a notification that several did once, by the
-- longest that any of them made it late.
with late as (
  select distinct on (h.account, h.notification) h.*
  from audit.held_up(%(since)s, %(until)s, %(account)s) h
  order by h.account, h.notification, h.late desc
)
select l.account, count(*) as notifications, count(distinct l.recipient) as recipients,
       count(distinct l.recipient) filter (where i.recipient is null) as erased,
       count(*) filter (where l.became = 'sent') as sent, count(*) filter (where l.became <> 'sent') as dead,
       count(*) filter (where l.became is null) as waiting,
       percentile_cont(0.5) within group (order by l.late) as median_late, max(l.late) as longest_late
from late l left join audit.identity i on i.recipient = l.recipient
group by l.account order by l.account
