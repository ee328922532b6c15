-- incident_losses: what ended without success within a period, and the first cause of each: what was first said against
-- it since it was enqueued or requeued; of what expired, the outage that held it up, if that came first; of what was
-- withdrawn, the reason that was given.
with outage as materialized (
  select * from audit.downtime(%(since)s, %(until)s, %(account)s)
), held as materialized (
  select h.account, h.notification, h.became_at, min(h.began_at) as began_at
  from audit.held_up(%(since)s, %(until)s, %(account)s) h where h.became = 'expired' group by 1, 2, 3
), lost as materialized (
  select e.account, e.stream, e.version, e.recorded_at, e.type, e.data->>'reason' as reason, count(*) over () as total
  from audit.event e
  where e.recorded_at >= %(since)s and e.recorded_at < %(until)s and (%(account)s::text is null or e.account = %(account)s)
    and e.type in ('rejected', 'expired', 'exhausted', 'cancelled')
  order by e.recorded_at, e.position limit %(most)s
)
select l.account, l.stream as notification, i.jid, l.type as state, l.recorded_at as ended_at, l.reason,
       case when o.began_at is null or f.recorded_at < o.began_at then f.error end as error,
       case when f.recorded_at is null or o.began_at <= f.recorded_at then o.cause end as outage_cause,
       case when f.recorded_at is null or o.began_at <= f.recorded_at then o.reason end as outage_reason,
       exists (select from audit.event r where r.stream = l.stream and r.version > l.version and r.type = 'requeued')
         as requeued,
       l.total
from lost l
left join lateral (
  select e.recorded_at, e.data->>'error' as error from audit.event e
  where e.stream = l.stream and e.version <= l.version
    and e.version > (select max(b.version) from audit.event b
                     where b.stream = l.stream and b.version < l.version and b.type in ('enqueued', 'requeued'))
    and e.type in ('attempt_failed', 'attempt_unknown', 'rejected') and e.data ? 'error'
  order by e.version limit 1) f on true
left join held h on h.account = l.account and h.notification = l.stream and h.became_at = l.recorded_at
left join outage o on o.account = l.account and o.began_at = h.began_at
left join audit.event first on first.stream = l.stream and first.version = 1
left join audit.identity i on i.recipient = (first.data->>'recipient')::uuid
order by l.recorded_at, l.stream
