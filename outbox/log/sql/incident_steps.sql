-- incident_steps: what happened in each step of a period, and how many notifications were open at the end of each.
-- Open when the period began is what had been enqueued before and not ended, by the log: looked for in what ended
-- afterwards and was made before, as its id tells, and in what has not ended to this day (audit.waiting).
with candidate as (
  select e.stream from outbox.event e
  where e.recorded_at >= %(since)s and e.stream < audit.id_after(%(since)s)
    and e.type in ('sent', 'rejected', 'expired', 'exhausted', 'cancelled')
    and (%(account)s::text is null or e.account = %(account)s)
  union
  select w.notification from audit.waiting() w where %(account)s::text is null or w.account = %(account)s
), before as (
  select count(*) as open
  from candidate c
  cross join lateral (
    select e.type from outbox.event e
    where e.stream = c.stream and e.recorded_at < %(since)s
      and e.type in ('enqueued', 'requeued', 'sent', 'rejected', 'expired', 'exhausted', 'cancelled')
    order by e.version desc limit 1) l
  where l.type in ('enqueued', 'requeued')
), counted as (
  select date_bin(%(step)s, e.recorded_at, %(since)s) as at,
         count(*) filter (where e.type = 'enqueued') as enqueued,
         count(*) filter (where e.type = 'attempt_started') as started,
         count(*) filter (where e.type = 'sent') as sent,
         count(*) filter (where e.type = 'attempt_failed') as failed,
         -- a trace that is found leaves the doubt as it was
         count(*) filter (where e.type = 'attempt_unknown' and e.data ? 'error') as doubted,
         count(*) filter (where e.type in ('rejected', 'expired', 'exhausted', 'cancelled')) as dead,
         sum(case when e.type = 'enqueued' or e.type = 'requeued' and e.data->>'state' <> 'unknown' then 1
                  when e.type in ('sent', 'rejected', 'expired', 'exhausted', 'cancelled') then -1 else 0 end) as opened
  from outbox.event e
  where e.recorded_at >= %(since)s and e.recorded_at < %(until)s
    and (%(account)s::text is null or e.account = %(account)s)
    and e.type in ('enqueued', 'requeued', 'attempt_started', 'attempt_failed', 'attempt_unknown', 'sent', 'rejected',
                   'expired', 'exhausted', 'cancelled')
  group by 1
)
select s.at, b.open as open_before, coalesce(c.enqueued, 0) as enqueued, coalesce(c.started, 0) as started,
       coalesce(c.sent, 0) as sent, coalesce(c.failed, 0) as failed, coalesce(c.doubted, 0) as doubted,
       coalesce(c.dead, 0) as dead, (b.open + coalesce(sum(c.opened) over (order by s.at), 0))::bigint as open
from before b
cross join generate_series(%(since)s, %(until)s - interval '1 microsecond', %(step)s) s (at)
left join counted c on c.at = s.at
order by s.at
