-- incident_extent: how far the period reaches, which is not beyond now, and how many events it has.
select statement_timestamp() as now, least(%(until)s, statement_timestamp()) as until,
       (select count(*) from outbox.event e
        where e.recorded_at >= %(since)s and e.recorded_at < %(until)s
          and (%(account)s::text is null or e.account = %(account)s)) as events
