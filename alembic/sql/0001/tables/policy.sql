-- The defaults of every notification, by account; the row '*' serves the accounts that have none of their own.
create table outbox.policy (
  account      text     primary key,
  expires_in   interval not null default '24 hours' check (expires_in > '0'),
  max_attempts integer  not null default 10         check (max_attempts > 0),
  retry_after  interval not null default '60 seconds' check (retry_after >= '0'),
  retry_limit  interval not null default '1 hour'   check (retry_limit >= retry_after),
  jitter       real     not null default 0.2        check (jitter between 0 and 1),
  on_unknown   text     not null default 'resend'   check (on_unknown in ('resend', 'hold')),
  grace        interval not null default '60 seconds' check (grace >= '0')
);

insert into outbox.policy (account) values ('*');
