-- traced: of these notifications those that were enqueued within a span, with the moments that their spans are made of.
with traced as materialized (
  select stream, metadata->>'traceparent' as traceparent
  from outbox.event
  where stream = any (%(streams)s) and version = 1 and type = 'enqueued' and metadata ? 'traceparent'
)
select t.stream, t.traceparent, e.type, (e.data->>'attempt')::integer as attempt, e.recorded_at
from traced t join outbox.event e on e.stream = t.stream
where e.type in ('enqueued', 'attempt_started', 'sent')
order by t.stream, e.version
