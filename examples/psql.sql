-- Enqueueing from SQL: psql, a trigger, or any language that sends statements.
--
--   psql "$DATABASE_URL" --file examples/psql.sql
\set ON_ERROR_STOP on

create table if not exists orders (
  number   integer primary key,
  customer text not null,
  notified uuid
);

-- The order and the notification are one transaction: both are there after the commit, or neither is.
begin;
insert into orders (number, customer) values (7, '+44 7700 900123');
update orders
set notified = outbox.enqueue(
      customer,
      jsonb_build_object('kind', 'text', 'text', format('Your order %s is on its way.', number)),
      idempotency_key => 'order-7-sent',     -- however often this is repeated, one message is sent
      priority        => 5,                  -- before what has less
      expires_in      => '4 hours',          -- what is not sent by then is not sent any more
      metadata        => '{"order": 7}')
where number = 7
returning number, notified;
commit;

-- An order that is taken back is not announced.
begin;
insert into orders (number, customer) values (8, '+44 7700 900124');
select outbox.enqueue('+44 7700 900124', '{"kind": "text", "text": "Your order 8 is on its way."}');
rollback;

-- A picture for many: its bytes are stored once, and its digest is what each content names.
begin;
select outbox.store_media(decode('89504e470d0a1a0a', 'hex'), 'image/png') as digest \gset
select count(*) as enqueued
from outbox.enqueue_batch((
  select jsonb_agg(jsonb_build_object(
           'recipient', '+447700900' || n,
           'content',   jsonb_build_object('kind', 'image', 'media', :'digest', 'caption', 'We have moved'),
           'send_at',   now() + interval '1 hour'))
  from generate_series(100, 119) as n));
commit;

-- What is wrong is said, with the value and the way out, and nothing of the transaction is kept.
\set ON_ERROR_STOP off
\set VERBOSITY verbose
select outbox.enqueue('07700 900123', '{"kind": "text", "text": "hello"}');
\set VERBOSITY default
\set ON_ERROR_STOP on

-- What became of it.
select o.number, n.state, n.attempts, n.last_error, n.expires_at > now() as waits
from orders o join outbox.notification n on n.id = o.notified;

-- Withdrawing what is not sent yet.
select outbox.cancel(notified, 'the customer has come by') from orders where number = 7;
