-- When connections that had stood did not stand, within a period; each as a whole. It begins with the event that ends
-- `connected`, whatever it is: a loss, a refusal, a worker that stops (`draining`) or dies (`lease_lost`, known when its
-- lease lapses), and ends when the connection stands again; null while it does not. That WhatsApp throttles ends nothing.
-- What came before an account's first connection is none.
create function audit.downtime(since timestamptz, until timestamptz default 'infinity', for_account text default null)
returns table (account text, began_at timestamptz, ended_at timestamptz, duration interval, cause text, reason text)
language sql stable parallel safe
begin atomic
  with origin as (
    select a.connection, coalesce(b.version, 1) as version, coalesce(b.recorded_at, '-infinity') as recorded_at
    from audit.account a
    left join lateral (
      select b.version, b.recorded_at from audit.event b
      where b.stream = a.connection and b.type = 'connected' and b.recorded_at < since
      order by b.version desc limit 1) b on true
    where for_account is null or a.account = for_account
  ), told as (
    select e.account, e.stream, e.version, e.recorded_at, e.type, e.data->>'reason' as reason,
           outbox.last_connection_state(e.type) over (partition by e.stream order by e.version) as state
    from origin o
    join audit.event e on e.stream = o.connection and e.version >= o.version
     and e.recorded_at >= o.recorded_at and e.recorded_at < until
  ), changed as (
    select *, lag(state) over (partition by stream order by version) as before from told
  )
  select c.account, c.recorded_at, u.recorded_at, coalesce(u.recorded_at, statement_timestamp()) - c.recorded_at, c.type, c.reason
  from changed c
  left join lateral (
    select e.recorded_at from audit.event e
    where e.stream = c.stream and e.version > c.version and e.recorded_at >= c.recorded_at and e.type = 'connected'
    order by e.version limit 1) u on true
  where c.before = 'connected' and c.state <> 'connected' and (u.recorded_at is null or u.recorded_at > since)
  order by c.account, c.version;
end;

comment on function audit.downtime is
  'When each account''s connection, having stood, did not stand within a period, and the first cause of that.';
