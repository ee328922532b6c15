-- traffic: what happened in each of the latest steps of time, the current one included; how long messages took to be
-- acknowledged, and how many notifications were open at the end of each: those of now, less what has come since.
with bounds as materialized (
  select date_bin(%(step)s, statement_timestamp(), 'epoch') as latest
), happened as (
  select e.stream, e.version, e.type, e.recorded_at, date_bin(%(step)s, e.recorded_at, 'epoch') as at,
         case when e.type = 'enqueued' or e.type = 'requeued' and e.data->>'state' <> 'unknown' then 1
              when e.type in ('sent', 'rejected', 'expired', 'exhausted', 'cancelled') then -1 else 0 end as opened
  from outbox.event e
  where e.recorded_at >= date_bin(%(step)s, statement_timestamp(), 'epoch') - %(step)s * (%(steps)s - 1)
    and e.type in ('enqueued', 'attempt_started', 'sent', 'attempt_failed', 'rejected', 'expired', 'exhausted',
                   'cancelled', 'requeued')
    and (%(account)s::text is null or e.account = %(account)s)
), counted as (
  select at, count(*) filter (where type = 'enqueued') as enqueued, count(*) filter (where type = 'sent') as sent,
         count(*) filter (where type = 'attempt_failed') as failed,
         count(*) filter (where type in ('rejected', 'expired', 'exhausted')) as dead, sum(opened) as opened
  from happened group by at
), acknowledged as (
  select s.at, percentile_cont(array[0.5, 0.95]) within group (
           order by extract(epoch from s.recorded_at - a.recorded_at)::double precision) as seconds
  from happened s
  join happened a on a.stream = s.stream and a.version = s.version - 1 and a.type = 'attempt_started'
  where s.type = 'sent' group by s.at
), open_now as (
  select count(*) as number from outbox.notification
  where open and (%(account)s::text is null or account = %(account)s)
)
select b.latest - %(step)s * (%(steps)s - 1 - n) as at,
       coalesce(c.enqueued, 0) as enqueued, coalesce(c.sent, 0) as sent, coalesce(c.failed, 0) as failed,
       coalesce(c.dead, 0) as dead, k.seconds[1] as half_within, k.seconds[2] as most_within,
       (o.number - coalesce(sum(c.opened) over (order by n desc rows between unbounded preceding and 1 preceding), 0)
       )::bigint as open
from bounds b cross join open_now o cross join generate_series(0, %(steps)s - 1) n
left join counted c on c.at = b.latest - %(step)s * (%(steps)s - 1 - n)
left join acknowledged k on k.at = b.latest - %(step)s * (%(steps)s - 1 - n)
order by n
