-- The notifications that ended without success within a period, by state and reason, and how many of them have been given
-- a new start since. The reason is the error that ended it, or the last one that it met in this life (audit.normalised),
-- or why somebody cancelled it.
create function audit.dead_letters(since timestamptz, until timestamptz default 'infinity', for_account text default null)
returns table (account text, state text, reason text, notifications bigint, requeued bigint, first_at timestamptz,
               last_at timestamptz)
language sql stable parallel safe
begin atomic
  with ended as (
    select e.account, e.stream, e.version, e.type, e.recorded_at, coalesce(e.data->>'error', e.data->>'reason') as reason
    from audit.event e
    where e.recorded_at >= since and e.recorded_at < until and (for_account is null or e.account = for_account)
      and e.type in ('rejected', 'expired', 'exhausted', 'cancelled')
  ), explained as (
    select d.account, d.type, d.recorded_at, audit.normalised(coalesce(d.reason, b.error)) as reason,
           exists (select from audit.event r where r.stream = d.stream and r.version > d.version
                     and r.recorded_at >= d.recorded_at and r.type = 'requeued') as is_requeued
    from ended d
    left join lateral (
      -- what a requeue ended is forgotten
      select e.data->>'error' as error from audit.event e
      where d.reason is null and e.stream = d.stream and e.version < d.version and e.recorded_at <= d.recorded_at
        and e.type in ('attempt_failed', 'attempt_unknown', 'requeued') and (e.data ? 'error' or e.type = 'requeued')
      order by e.version desc limit 1) b on true
  )
  select x.account, x.type, x.reason, count(*), count(*) filter (where x.is_requeued), min(x.recorded_at), max(x.recorded_at)
  from explained x
  group by x.account, x.type, x.reason
  order by count(*) desc, x.account, x.type, x.reason;
end;

comment on function audit.dead_letters is
  'What ended without success within a period, by state and reason, and how much of it was given a new start since.';
