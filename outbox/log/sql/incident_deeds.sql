-- incident_deeds: what people did within a period, by token or at the command line, but for enqueueing.
select d.account, d.kind, d.who, d.type, d.events, d.first_at, d.last_at, count(*) over () as total
from audit.deeds(%(since)s, %(until)s, %(account)s) d
where d.kind in ('token', 'person') and d.type <> 'enqueued'
order by d.first_at, d.kind, d.who, d.type
limit %(most)s
