-- incident_recipients: whom a period affected: whose notifications an outage held up, ended without success, or needed
-- attempts that failed or came into doubt.
with held as (
  select h.account, h.recipient, count(distinct h.notification) as held_up, max(h.late) as longest_late
  from audit.held_up(%(since)s, %(until)s, %(account)s) h group by h.account, h.recipient
), tried as (
  select * from audit.attempts(%(since)s, %(until)s, %(account)s) a where a.failed + a.rejected + a.doubted > 0
), lost as (
  select e.account, (f.data->>'recipient')::uuid as recipient, count(*) as lost
  from audit.event e
  join lateral (select f.data from audit.event f where f.stream = e.stream and f.version = 1) f on true
  where e.recorded_at >= %(since)s and e.recorded_at < %(until)s and (%(account)s::text is null or e.account = %(account)s)
    and e.type in ('rejected', 'expired', 'exhausted', 'cancelled')
  group by 1, 2
)
select account, i.jid, coalesce(h.held_up, 0) as held_up, h.longest_late, coalesce(t.failed, 0) as failed,
       coalesce(t.rejected, 0) as rejected, coalesce(t.doubted, 0) as doubted, coalesce(o.lost, 0) as lost, t.last_error,
       count(*) over () as total
from held h
full join tried t using (account, recipient)
full join lost o using (account, recipient)
left join audit.identity i using (recipient)
order by h.longest_late desc nulls last, o.lost desc nulls last, account, recipient
limit %(most)s
