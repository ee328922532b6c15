-- recipients: the counters of each recipient of each account, behind a place in the list.
-- Those who wait for a retry are found by their partial index. A filter that is null filters nothing; not to be
-- prepared: each choice of filters needs a plan of its own.
select r.account, r.recipient as id, i.jid, r.failures, r.failed_attempts, r.retry_at, r.last_error, r.first_sent_at,
       i.registered, i.checked_at, s.suppressed_at, s.reason as suppressed_because
from outbox.recipient r
left join outbox.identity i using (recipient)
left join lateral (
  select s.suppressed_at, s.reason from outbox.suppression s
  where s.recipient = r.recipient and s.account in (r.account, '*') and s.suppressed_at is not null
  order by s.account = '*' limit 1
) s on true
where (%(account)s::text is null or r.account = %(account)s)
  and (%(jid)s::text is null or r.recipient = (select recipient from outbox.identity where jid = %(jid)s))
  and (not %(failing)s or r.retry_at is not null and r.failures > 0)
  and (%(after_id)s::uuid is null or (r.recipient, r.account) > (%(after_id)s, %(after_account)s))
order by r.recipient, r.account
limit %(limit)s
