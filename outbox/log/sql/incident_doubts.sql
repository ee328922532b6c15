-- incident_doubts: what came into doubt within a period and still is.
select n.account, n.id as notification, i.jid, n.on_unknown = 'hold' as held, n.changed_at as since, n.last_error as error,
       count(*) over () as total
from outbox.notification n
left join audit.identity i on i.recipient = n.recipient
where n.unsettled and (%(account)s::text is null or n.account = %(account)s)
  and exists (select from outbox.event e where e.stream = n.id and e.type = 'attempt_unknown' and e.data ? 'error'
                and e.recorded_at >= %(since)s and e.recorded_at < %(until)s)
order by n.changed_at, n.id
limit %(most)s
