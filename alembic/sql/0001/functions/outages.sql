-- The outages of a period (audit.downtime), each with what it did: how many notifications it held up, and how late the
-- median and the latest of them were (audit.held_up, whose rows these are).
create function audit.outages(since timestamptz, until timestamptz default 'infinity', for_account text default null)
returns table (account text, began_at timestamptz, ended_at timestamptz, duration interval, cause text, reason text,
               held_up bigint, median_late interval, longest_late interval)
language sql stable parallel safe
begin atomic
  select o.account, o.began_at, o.ended_at, o.duration, o.cause, o.reason,
         coalesce(h.held_up, 0), h.median_late, h.longest_late
  from audit.downtime(since, until, for_account) o
  left join (
    select h.account, h.began_at, count(*) as held_up, percentile_cont(0.5) within group (order by h.late) as median_late,
           max(h.late) as longest_late
    from audit.held_up(since, until, for_account) h group by h.account, h.began_at
  ) h on h.account = o.account and h.began_at = o.began_at
  order by o.account, o.began_at;
end;

comment on function audit.outages is
  'The outages of a period: how long, the first cause, how many notifications each held up, and for how long.';
