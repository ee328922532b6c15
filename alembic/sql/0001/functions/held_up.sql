-- Which notifications an outage held up, for the outages of a period. Held up is what was due and waited at some time of
-- it: pending, or of unknown outcome until the attempt was found to have failed. What a receipt settled as sent had left
-- before; what an operator holds waits for the operator; what its recipient's failures put off until after the outage
-- does not count either.
-- How late it came: until it was sent, or ended otherwise (`became`), or until now while it still waits; from when it was
-- due, or from the beginning of the outage if it was due before.
create function audit.held_up(since timestamptz, until timestamptz default 'infinity', for_account text default null)
returns table (account text, began_at timestamptz, ended_at timestamptz, notification uuid, recipient uuid, number text,
               due_at timestamptz, became text, became_at timestamptz, late interval)
language sql stable parallel safe
begin atomic
  with outage as materialized (
    select * from audit.downtime(since, until, for_account)
  ), span as materialized (
    select o.account, array_agg(o.began_at order by o.began_at) as begins,
           array_agg(audit.id_after(coalesce(o.ended_at, 'infinity')) order by o.began_at) as bounds
    from outage o group by o.account
  ), candidate as (
    -- what ended after an outage had begun and was made before that outage ended, as its id tells, or has not ended
    select e.stream from audit.event e join span s on s.account = e.account
    where e.recorded_at >= (select min(o.began_at) from outage o)
      and e.stream < (select audit.id_after(max(coalesce(o.ended_at, 'infinity'))) from outage o)
      and e.type in ('sent', 'rejected', 'expired', 'exhausted', 'cancelled')
      and e.stream < s.bounds[width_bucket(e.recorded_at, s.begins)]
    union
    select w.notification from audit.waiting() w join span s on s.account = w.account
  ), lived as (
    -- each start, failure and doubt of a candidate, with what it was due at from then on and what its life came to;
    -- candidate by candidate, so that each is looked up and the log never joined as a whole
    select l.*
    from candidate c
    cross join lateral (
      select t.*,
             max(case t.type when 'enqueued' then coalesce((t.data->>'due_at')::timestamptz, t.recorded_at)
                             when 'requeued' then t.recorded_at
                             when 'attempt_failed' then (t.data->>'retry_at')::timestamptz end)
               over (partition by t.life order by t.version) as due_at,
             min(t.recorded_at) filter (where t.type in ('sent', 'rejected', 'expired', 'exhausted', 'cancelled'))
               over (partition by t.life) as became_at,
             max(t.type) filter (where t.type in ('sent', 'rejected', 'expired', 'exhausted', 'cancelled'))
               over (partition by t.life) as became,
             first_value(t.data->>'recipient') over (order by t.version)::uuid as recipient
      from (
        select d.*, count(*) filter (where d.type in ('enqueued', 'requeued')) over (order by d.version) as life,
               lead(d.type) over (order by d.version) as next_type, lead(d.recorded_at) over (order by d.version) as next_at
        from (
          select e.account, e.stream, e.version, e.recorded_at, e.type, e.data, lag(e.type) over (order by e.version) as before
          from audit.event e where e.stream = c.stream) d
        -- a trace that is found leaves the doubt as it was
        where d.type <> 'attempt_unknown' or d.before <> 'attempt_unknown') t) l
  ), waited as (
    select l.account, o.began_at, o.ended_at, l.stream, l.recipient, l.became, l.became_at, min(l.due_at) as due_at
    from lived l
    join outage o on o.account = l.account
     and greatest(l.due_at, l.recorded_at) < coalesce(o.ended_at, statement_timestamp())
     and coalesce(l.next_at, 'infinity') > o.began_at
    where l.type in ('enqueued', 'requeued', 'attempt_failed') or l.type = 'attempt_unknown' and l.next_type = 'attempt_failed'
    group by l.account, o.began_at, o.ended_at, l.stream, l.recipient, l.life, l.became, l.became_at
  )
  select w.account, w.began_at, w.ended_at, w.stream, w.recipient, i.number, w.due_at, w.became, w.became_at,
         coalesce(w.became_at, statement_timestamp()) - greatest(w.due_at, w.began_at)
  from waited w left join audit.identity i on i.recipient = w.recipient
  order by w.account, w.began_at, w.due_at, w.stream;
end;

comment on function audit.held_up is
  'Which notifications each outage of a period held up, what became of each, and how late.';
