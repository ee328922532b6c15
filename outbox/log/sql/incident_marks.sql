-- incident_marks: what happened to connections within a period, without the tries to connect that failed.
select e.recorded_at, e.account, e.type, e.data, e.metadata, count(*) over () as total
from (
  select e.*, lag(e.type) over (partition by e.stream order by e.version) as before
  from audit.account a
  join audit.event e on e.stream = a.connection
  where e.recorded_at >= %(since)s and e.recorded_at < %(until)s and (%(account)s::text is null or a.account = %(account)s)
) e
where e.type not in ('connecting', 'reconnect_scheduled')
  and not (e.type = 'disconnected' and e.before is not distinct from 'connecting')
order by e.recorded_at, e.position
limit %(most)s
