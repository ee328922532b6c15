-- Per recipient, what happened to attempts within a period: started, acknowledged, failed (and made again), rejected, come
-- into doubt; the latest error; of how many notifications. `number` is null once the recipient has been erased.
-- Whom a notification is for is told by its first event alone, which mostly lies in the period, too; only of those that
-- were enqueued before is it looked up. A doubt begins with its error; a trace that is found adds only an id.
create function audit.attempts(since timestamptz, until timestamptz default 'infinity', for_account text default null)
returns table (account text, recipient uuid, number text, notifications bigint, started bigint, sent bigint, failed bigint,
               rejected bigint, doubted bigint, last_error text, last_at timestamptz)
language sql stable parallel safe
begin atomic
  with tried as (
    select min(e.account) as account, e.stream, max(e.data->>'recipient') filter (where e.type = 'enqueued') as recipient,
           count(*) filter (where e.type = 'attempt_started') as started, count(*) filter (where e.type = 'sent') as sent,
           count(*) filter (where e.type = 'attempt_failed') as failed, count(*) filter (where e.type = 'rejected') as rejected,
           count(*) filter (where e.type = 'attempt_unknown' and e.data ? 'error') as doubted,
           -- the latest is the one of the highest position, which begins the text
           max(to_char(e.position, 'FM0000000000000000000') || (e.data->>'error') collate "C")
             filter (where e.type <> 'enqueued' and e.data ? 'error') as last_error,
           max(e.recorded_at) filter (where e.type <> 'enqueued') as last_at
    from audit.event e
    where e.recorded_at >= since and e.recorded_at < until and (for_account is null or e.account = for_account)
      and e.type in ('enqueued', 'attempt_started', 'sent', 'attempt_failed', 'rejected', 'attempt_unknown')
    group by e.stream
    having bool_or(e.type <> 'enqueued')
  ), known as (
    select t.*, coalesce(t.recipient, f.recipient)::uuid as whom
    from tried t
    left join lateral (
      select e.data->>'recipient' as recipient from audit.event e
      where t.recipient is null and e.stream = t.stream and e.version = 1 and e.recorded_at < since limit 1) f on true
  ), counted as (
    select k.account, k.whom, count(*) as notifications, sum(k.started::integer) as started, sum(k.sent::integer) as sent,
           sum(k.failed::integer) as failed, sum(k.rejected::integer) as rejected, sum(k.doubted::integer) as doubted,
           substr(max(k.last_error), 20) as last_error, max(k.last_at) as last_at
    from known k group by k.account, k.whom
  )
  select c.account, c.whom, i.number, c.notifications, c.started, c.sent, c.failed,
         c.rejected, c.doubted, c.last_error, c.last_at
  from counted c left join audit.identity i on i.recipient = c.whom;
end;

comment on function audit.attempts is
  'Per recipient, how many attempts of a period were acknowledged, failed, were rejected or came into doubt.';
