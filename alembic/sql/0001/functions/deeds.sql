-- Who did what within a period: how many events of each type, for which account, and from when to when (audit.deed has
-- them one by one). Nobody is named for what the database does by itself and for what was asked for in SQL.
-- Counted first and named then, so that names are looked up once for all that one did.
create function audit.deeds(since timestamptz, until timestamptz default 'infinity', for_account text default null)
returns table (kind text, who text, account text, type text, events bigint, first_at timestamptz, last_at timestamptz)
language sql stable parallel safe
begin atomic
  with counted as materialized (
    select audit.doer_kind(e.type, e.metadata) as kind,
           audit.doer_key(audit.doer_kind(e.type, e.metadata), e.type, e.data, e.metadata) as key,
           e.account, e.type, count(*) as events, min(e.recorded_at) as first_at, max(e.recorded_at) as last_at
    from audit.event e
    where e.recorded_at >= since and e.recorded_at < until and (for_account is null or e.account = for_account)
    group by 1, 2, e.account, e.type
  ), named as (
    select c.*, case c.kind when 'worker' then l.worker else c.key end as who
    from counted c
    left join audit.lease l on c.kind = 'worker' and l.account = c.account and l.epoch::text = c.key
  )
  select n.kind, n.who, n.account, n.type, sum(n.events)::bigint, min(n.first_at), max(n.last_at)
  from named n
  group by n.kind, n.who, n.account, n.type
  order by n.kind, n.who, n.account, min(n.first_at), n.type;
end;

comment on function audit.deeds is 'Who did what within a period: each token, person and worker, and how often.';
