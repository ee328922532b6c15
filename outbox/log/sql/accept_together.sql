-- accept_together: accepts notifications, provided that each of the tokens behind them is valid for what it is used
-- for, as `tokens` has it; otherwise there is no list to accept, which is refused. One message, one transaction and so
-- one round trip.
set local lock_timeout = '100ms';
set local statement_timeout = '20s';
select id from outbox.enqueue_batch(
  (select %(notifications)s::jsonb
   where not exists (
     select from unnest(%(digests)s::bytea[]) as shown (digest)
     where not exists (
       select from outbox.token t
       where t.digest = shown.digest and t.scopes && array[%(scope)s::text, 'admin']
         and t.revoked_at is null and (t.expires_at is null or t.expires_at > statement_timestamp())))),
  %(account)s)
