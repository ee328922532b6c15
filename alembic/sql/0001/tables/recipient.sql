-- Projection: the retry counters of each recipient of an account. Written by outbox.project_recipient alone.
-- A row changes only when a counter does: a failure, the first success after one, the first message ever.
create table outbox.recipient (
  account         text        not null,
  recipient       uuid        not null,
  failures        integer     not null default 0,  -- in a row, over all notifications; a success ends the row
  failed_attempts integer     not null default 0,  -- ever
  retry_at        timestamptz,                      -- nothing is sent to the recipient before
  last_error      text,
  first_sent_at   timestamptz,
  position        bigint      not null,             -- of the event that set failures, retry_at and last_error
  primary key (recipient, account)  -- in this order: accounts are few and tell the planner nothing
) with (fillfactor = 80);

create index recipient_waiting on outbox.recipient (account, retry_at) where retry_at is not null;

-- Whom an account has reached first of late (outbox.first_contacts): rows are written in about that order.
create index recipient_first_sent on outbox.recipient using brin (first_sent_at) with (pages_per_range = 16, autosummarize = on);
