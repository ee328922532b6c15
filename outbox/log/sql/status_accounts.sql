-- status_accounts: one row an account: its connection, its owner, its queue and its dead letters.
-- Everything is read by the partial indexes, so what was sent costs nothing, however much it is.
with queue as (
  select account,
         count(*) filter (where state = 'pending')   as pending,
         count(*) filter (where state = 'sending')   as sending,
         count(*) filter (where state = 'unknown')   as unknown,
         count(*) filter (where state = 'unknown' and on_unknown = 'hold') as held,
         count(*) filter (where state = 'pending' and due_at <= statement_timestamp()) as due,
         min(enqueued_at)                            as oldest,
         min(due_at) filter (where state = 'pending' and due_at <= statement_timestamp()) as oldest_due_at,
         min(due_at) filter (where state = 'pending' and due_at > statement_timestamp()) as next_due_at
  from outbox.notification where open group by account
), dead as (
  select account, jsonb_object_agg(state, number) as dead
  from (select account, state, count(*) as number
        from outbox.notification where not open and sent_at is null group by account, state) d
  group by account
), waiting as (
  select account, count(*) as waiting_recipients
  from outbox.recipient where retry_at > statement_timestamp() group by account
), account as (
  select account from outbox.connection
  union select account from outbox.lease
  union select account from queue
  union select account from dead
)
select a.account, coalesce(c.state, 'free') as state, c.reason, coalesce(c.failures, 0) as failures,
       c.reconnect_at, c.connected_at, c.changed_at,
       l.owner, coalesce(l.epoch, 0) as epoch,
       case when l.owner is not null then l.until end as lease_until,
       coalesce(l.owner is not null and l.until < statement_timestamp(), false) as lapsed,
       case when l.owner is not null then w.worker end as worker,
       coalesce(q.pending, 0) as pending, coalesce(q.due, 0) as due, coalesce(q.sending, 0) as sending,
       coalesce(q.unknown, 0) as unknown, coalesce(q.held, 0) as held, q.oldest, q.oldest_due_at, q.next_due_at,
       coalesce(r.waiting_recipients, 0) as waiting_recipients, coalesce(d.dead, '{}') as dead,
       policy.strangers_a_day, policy.pace as messages_a_minute, coalesce(c.lacks_ffmpeg, false) as lacks_ffmpeg,
       pace is not null as paced, pace.next_at as next_send_at, pace.reason as next_send_reason,
       pace.strangers_left, pace.strangers_at as next_stranger_at, pace.strangers_reason as next_stranger_reason
from account a
left join outbox.connection c using (account)
left join outbox.lease l using (account)
left join queue q using (account)
left join dead d using (account)
left join waiting r using (account)
left join lateral (
  select e.metadata as worker from outbox.event e
  where e.stream = c.stream and e.type = 'lease_acquired'
  order by e.version desc limit 1
) w on true
cross join lateral outbox.policy_of(a.account) policy
left join lateral (
  -- only of those that have ever been paced
  select * from outbox.pace(a.account) where c.bucket_full_at is not null
) pace on true
order by a.account
