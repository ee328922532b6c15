-- incident_extent: how far the period reaches, which is not beyond now, how many events it has, and of which accounts.
with counted as (
  select e.account, count(*) as events from outbox.event e
  where e.recorded_at >= %(since)s and e.recorded_at < %(until)s and (%(account)s::text is null or e.account = %(account)s)
  group by e.account
)
select statement_timestamp() as now, least(%(until)s, statement_timestamp()) as until,
       coalesce(sum(c.events), 0)::bigint as events, coalesce(array_agg(c.account), '{}') as accounts
from counted c
