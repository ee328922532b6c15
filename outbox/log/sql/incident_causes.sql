-- incident_causes: what went wrong within a period and how often: the first that was said of each attempt that failed,
-- was refused or came into doubt, and of each notification that expired without one. What expired while an outage held
-- it up did so because of the outage. Errors without what makes each its own (audit.normalised).
with outage as materialized (
  select * from audit.downtime(%(since)s, %(until)s, %(account)s)
), held as materialized (
  select h.notification, h.became_at, min(h.began_at) as began_at
  from audit.held_up(%(since)s, %(until)s, %(account)s) h where h.became = 'expired' group by 1, 2
), failed as (
  select distinct on (e.stream, e.data->>'attempt')
         e.account, e.stream, e.recorded_at, e.type, e.data->>'class' as class, e.data->>'error' as error
  from audit.event e
  where e.recorded_at >= %(since)s and e.recorded_at < %(until)s and (%(account)s::text is null or e.account = %(account)s)
    and e.type in ('attempt_failed', 'attempt_unknown', 'rejected') and e.data ? 'error'
  order by e.stream, e.data->>'attempt', e.version
), expired as (
  select e.account, e.stream, e.recorded_at, e.type, o.cause as class, coalesce(o.reason, '') as error
  from audit.event e
  left join held h on h.notification = e.stream and h.became_at = e.recorded_at
  left join outage o on o.account = e.account and o.began_at = h.began_at
  where e.recorded_at >= %(since)s and e.recorded_at < %(until)s and (%(account)s::text is null or e.account = %(account)s)
    and e.type = 'expired'
    and not exists (select from audit.event s where s.stream = e.stream and s.type = 'attempt_started' and s.version < e.version)
), told as (
  select f.*, exists (select from outage o where o.account = f.account and f.recorded_at >= o.began_at
                        and f.recorded_at < coalesce(o.ended_at, 'infinity')) as in_outage
  from (select * from failed union all select * from expired) f
)
select account, type, class, audit.normalised(error) as error, count(*) as times, count(distinct stream) as notifications,
       count(*) filter (where in_outage) as in_outage, min(recorded_at) as first_at, max(recorded_at) as last_at,
       count(*) over () as total
from told
group by account, type, class, audit.normalised(error)
order by min(recorded_at), account, type
limit %(most)s
