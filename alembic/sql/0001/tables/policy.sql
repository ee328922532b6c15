-- The defaults of every notification and the pace of sending, by account; the row '*' serves the accounts that have
-- none of their own.
create table outbox.policy (
  account         text     primary key,
  expires_in      interval not null default '24 hours' check (expires_in > '0'),
  max_attempts    integer  not null default 10         check (max_attempts > 0),
  retry_after     interval not null default '60 seconds' check (retry_after >= '0'),
  retry_limit     interval not null default '1 hour'   check (retry_limit >= retry_after),
  jitter          real     not null default 0.2        check (jitter between 0 and 1),
  on_unknown      text     not null default 'resend'   check (on_unknown in ('resend', 'hold')),
  grace           interval not null default '60 seconds' check (grace >= '0'),
  erase_after     interval                             check (erase_after >= '0'),    -- bodies, after the end; null: kept
  -- of sessions with people on the other side (outbox.gate)
  pace            real     not null default 20         check (pace > 0),             -- messages a minute
  burst           integer  not null default 3          check (burst > 0),            -- at once, after a quiet time
  strangers_a_day integer  not null default 30         check (strangers_a_day >= 0), -- written to for the first time
  check_after     interval not null default '7 days'   check (check_after >= '0')    -- how long a number's check holds
);

insert into outbox.policy (account) values ('*');
