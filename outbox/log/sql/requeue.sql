-- requeue: gives the next of those that are chosen a new start, as outbox.requeue does for one, in one statement.
-- Whatever somebody else is changing at this moment is left out, and so is that whose body or
-- recipient has been erased, and that for somebody who is suppressed.
with chosen as materialized (
  select n.id, n.account, n.version, n.state
  from outbox.notification n
  where (case when %(unsettled)s then n.unsettled else not n.open and n.sent_at is null end)
    and n.state = any (%(states)s)
    and (%(account)s::text is null or n.account = %(account)s)
    and (%(error_like)s::text is null or n.last_error ilike %(error_like)s)
    and exists (select from outbox.content c where c.digest = n.content)
    and exists (select from outbox.identity i where i.recipient = n.recipient)
    and outbox.suppressed_because(n.account, n.recipient) is null
    and (%(after)s::uuid is null or n.id > %(after)s)
  order by n.id
  limit %(limit)s
  for update skip locked
), appended as (
  insert into outbox.event (account, stream, version, type, data, metadata)
  select c.account, c.id, c.version + 1, 'requeued',
         jsonb_strip_nulls(jsonb_build_object(
           'state', c.state,
           'expires_at', statement_timestamp()
                         + coalesce(%(expires_in)s::interval, (outbox.policy_of(c.account)).expires_in),
           'reason', %(reason)s::text)),
         %(metadata)s
  from chosen c
)
select id, account from chosen order by id
