-- Why an account that is paced sends nothing right now: when its next message may be sent, and how many strangers may
-- be written to, by the same rules as outbox.gate. A reason is null where nothing holds it.
--
--   select * from outbox.pace('main');
--
-- next_at            when the next message may start; now, unless reason says what holds it: throttled or pace
-- strangers_left     how many people may still be written to for the first time
-- strangers_at       when the next of them may be, for the sake of strangers_reason: restricted or strangers
create function outbox.pace(account text)
returns table (next_at timestamptz, reason text, strangers_left integer, strangers_at timestamptz,
               strangers_reason text)
language sql stable as $$
  select greatest(c.throttled_until, c.bucket_full_at - a.ahead, n.now),
         case when c.throttled_until > n.now then 'throttled' when c.bucket_full_at - a.ahead > n.now then 'pace' end,
         case when c.strangers_after > n.now then 0 else greatest(p.strangers_a_day - cardinality(f.since), 0) end,
         greatest(case when c.strangers_after > n.now then c.strangers_after end, s.at, n.now),
         case when c.strangers_after > n.now then 'restricted' when s.at is not null then 'strangers' end
  from (select statement_timestamp() as now) n
  cross join outbox.policy_of(pace.account) p
  cross join lateral (select interval '1 minute' / p.pace * (p.burst - 1) as ahead) a
  cross join (
    select coalesce(array_agg(f.at order by f.at), '{}') as since from outbox.first_contacts(pace.account) f
  ) f
  cross join lateral (
    select case when cardinality(f.since) >= p.strangers_a_day
                then coalesce(f.since[cardinality(f.since) + 1 - p.strangers_a_day], n.now) + interval '24 hours'
           end as at
  ) s
  left join outbox.connection c on c.account = pace.account
$$;
