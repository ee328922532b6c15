-- The states in which connections were within a period, each as a whole: from its true beginning to its true end, which
-- is null for the one that lasts. A state begins with the event that leads to it, whose reason it has.
-- Read from the latest event before the period whose state does not depend on the state before it: one that leads to
-- the same from `halted`, which outlasts much, as from `connected`.
create function audit.connection_history(since timestamptz, until timestamptz default 'infinity', for_account text default null)
returns table (account text, state text, began_at timestamptz, ended_at timestamptz, duration interval, reason text)
language sql stable parallel safe
begin atomic
  with origin as (
    select a.account, a.connection, coalesce(b.version, 1) as version, coalesce(b.recorded_at, '-infinity') as recorded_at
    from audit.account a
    left join lateral (
      select b.version, b.recorded_at from audit.event b
      where b.stream = a.connection and b.recorded_at <= since
        and outbox.next_connection_state('halted', b.type) = outbox.next_connection_state('connected', b.type)
      order by b.version desc limit 1) b on true
    where for_account is null or a.account = for_account
  ), told as (
    select e.account, e.stream, e.version, e.recorded_at, e.data->>'reason' as reason,
           outbox.last_connection_state(e.type) over (partition by e.stream order by e.version) as state
    from origin o
    join audit.event e on e.stream = o.connection and e.version >= o.version
     and e.recorded_at >= o.recorded_at and e.recorded_at < until
  ), changed as (
    select *, state is distinct from lag(state) over (partition by stream order by version) as is_new from told
  ), span as (
    select *, lead(recorded_at) over (partition by stream order by version) as next_at from changed where is_new
  )
  select s.account, s.state, s.recorded_at, coalesce(s.next_at, n.recorded_at),
         coalesce(s.next_at, n.recorded_at, statement_timestamp()) - s.recorded_at, s.reason
  from span s
  left join lateral (
    -- the last state of the period may have ended after it
    select e.recorded_at from audit.event e
    where s.next_at is null and e.stream = s.stream and e.version > s.version and e.recorded_at >= until
      and outbox.next_connection_state(s.state, e.type) <> s.state
    order by e.version limit 1) n on true
  where coalesce(s.next_at, n.recorded_at, 'infinity') > since
  order by s.account, s.version;
end;

comment on function audit.connection_history is
  'The states in which each account''s connection was within a period: from when to when, for how long, and why.';
