-- incident_events: the events of a period, a line of JSON each.
select outbox.event_line(e) from outbox.event e
where e.recorded_at >= %(since)s and e.recorded_at < %(until)s and (%(account)s::text is null or e.account = %(account)s)
order by e.position
