-- Hour by hour, how long messages took: of what was sent in the hour, from when it was due, whatever its attempts went
-- through meanwhile (from when it was requeued, if it was), until the server acknowledged it; of what was delivered in
-- the hour, from the acknowledgement until a device of the recipient's said so. Half took less than p50, 95 and 99 of a
-- hundred less than p95 and p99.
-- A notification is sent once and delivered once, so what was due, sent and delivered meets by stream; only what began
-- before the period is looked up.
create function audit.latency(since timestamptz, until timestamptz default 'infinity', for_account text default null)
returns table (hour timestamptz, sent bigint, sent_p50 interval, sent_p95 interval, sent_p99 interval,
               delivered bigint, delivered_p50 interval, delivered_p95 interval, delivered_p99 interval)
language sql stable parallel safe
begin atomic
  with went as (
    select e.stream,
           coalesce(max(e.recorded_at) filter (where e.type = 'requeued'),
                    max(coalesce((e.data->>'due_at')::timestamptz, e.recorded_at)) filter (where e.type = 'enqueued')) as due_at,
           max(e.recorded_at) filter (where e.type = 'sent') as sent_at,
           max(e.recorded_at) filter (where e.type = 'delivered') as delivered_at
    from audit.event e
    where e.recorded_at >= since and e.recorded_at < until and (for_account is null or e.account = for_account)
      and e.type in ('enqueued', 'requeued', 'sent', 'delivered')
    group by e.stream
    having bool_or(e.type in ('sent', 'delivered'))
  ), took as (
    select date_trunc('hour', t.at) as hour, t.is_sent, extract(epoch from t.took)::double precision as seconds
    from went w
    left join lateral (
      select coalesce((e.data->>'due_at')::timestamptz, e.recorded_at) as due_at from audit.event e
      where w.due_at is null and e.stream = w.stream and e.recorded_at < since and e.type in ('enqueued', 'requeued')
      order by e.version desc limit 1) d on true
    left join lateral (
      select e.recorded_at as sent_at from audit.event e
      where w.sent_at is null and e.stream = w.stream and e.recorded_at < since and e.type = 'sent' limit 1) s on true
    cross join lateral (values (w.sent_at, true, w.sent_at - coalesce(w.due_at, d.due_at)),
                               (w.delivered_at, false, w.delivered_at - coalesce(w.sent_at, s.sent_at))) t (at, is_sent, took)
    where t.at is not null
  ), ranked as (
    select t.hour, t.is_sent, count(*) as number,
           percentile_cont(array[0.5, 0.95, 0.99]) within group (order by t.seconds) as seconds
    from took t group by t.hour, t.is_sent
  )
  select hour, coalesce(s.number, 0), make_interval(secs => round(s.seconds[1]::numeric, 3)::double precision),
         make_interval(secs => round(s.seconds[2]::numeric, 3)::double precision),
         make_interval(secs => round(s.seconds[3]::numeric, 3)::double precision),
         coalesce(d.number, 0), make_interval(secs => round(d.seconds[1]::numeric, 3)::double precision),
         make_interval(secs => round(d.seconds[2]::numeric, 3)::double precision),
         make_interval(secs => round(d.seconds[3]::numeric, 3)::double precision)
  from (select r.hour, r.number, r.seconds from ranked r where r.is_sent) s
  full join (select r.hour, r.number, r.seconds from ranked r where not r.is_sent) d using (hour)
  order by hour;
end;

comment on function audit.latency is
  'Hour by hour, how long messages took from when they were due until acknowledged, and from then until delivered.';
