-- incident_dead: how many notifications ended without success within a period, by state.
select d.account, d.state, sum(d.notifications)::bigint as notifications, sum(d.requeued)::bigint as requeued
from audit.dead_letters(%(since)s, %(until)s, %(account)s) d
group by d.account, d.state order by d.account, d.state
