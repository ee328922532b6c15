-- Projection: the pending queue, and what became of each notification. Written by outbox.project_notification alone.
-- The indexes hang on `open`, `deferred`, `unsettled` and `approaching`, which change seldom in a notification's life,
-- not on `state`, so that most updates touch no index. They are set beside the state: as generated columns they cost an
-- enqueue a tenth.
create table outbox.notification (
  id           uuid        primary key,
  account      text        not null,
  recipient    uuid        not null,
  content      bytea       not null,          -- digest of the body, in outbox.content
  state        text        not null,
  version      integer     not null,
  priority     smallint    not null,          -- higher goes first
  position     bigint      not null,          -- of its enqueued event: the order of enqueueing
  enqueued_at  timestamptz not null,
  due_at       timestamptz not null,          -- no attempt starts before
  expires_at   timestamptz not null,          -- no attempt starts after
  changed_at   timestamptz not null,
  sent_at      timestamptz,
  attempts     integer     not null default 0, -- started; each has its number
  failures     integer     not null default 0, -- those that count against max_attempts
  max_attempts integer     not null,
  deferred     boolean     not null,          -- due later than it became pending
  on_unknown   text        not null,          -- 'resend' or 'hold'
  retry_after  interval,                      -- first delay and longest delay, where not the account's policy
  retry_limit  interval,
  message_id   text,                          -- WhatsApp's, of the last attempt
  last_error   text,
  open         boolean     not null,          -- pending, sending or unknown
  unsettled    boolean     not null,          -- unknown
  approaching  boolean     not null default false, -- a paced attempt is out to somebody who was never reached
  check (open = (state in ('pending', 'sending', 'unknown')) and unsettled = (state = 'unknown'))
) with (fillfactor = 50);

-- The queue, in the order of delivery.
create index notification_ready on outbox.notification (account, priority desc, position) where open and not deferred;
-- What comes due later: scheduled, or waiting for a retry.
create index notification_deferred on outbox.notification (account, due_at) where open and deferred;
create index notification_expiring on outbox.notification (expires_at) where open;
create index notification_unsettled on outbox.notification (account, id) where unsettled;
-- Strangers who are being written to; few, and none where nothing is paced.
create index notification_approaching on outbox.notification (account) where approaching;
-- Receipts name the message, never the recipient (who may answer under another address).
create index notification_message on outbox.notification (account, message_id) where message_id is not null;
-- Dead letters: what ended without success, to be counted and requeued among however many that were sent.
create index notification_dead on outbox.notification (account, id) where not open and sent_at is null;
