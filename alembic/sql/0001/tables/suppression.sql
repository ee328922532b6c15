-- Projection: who is not to be written to, and who has been forgotten. Written by outbox.project_recipient alone.
-- One row a stream of a recipient: of one account, or of all under the account '*'.
create table outbox.suppression (
  recipient     uuid        not null,
  account       text        not null,
  stream        uuid        not null unique,
  version       integer     not null,
  suppressed_at timestamptz,                 -- null: not suppressed, or not any more
  reason        text,
  forgotten_at  timestamptz,                 -- when the recipient's number and bodies were erased
  primary key (recipient, account)           -- in this order: an enqueue looks for both, of few accounts
);

-- Those in force: to be listed, and to know that there are none.
create index suppression_in_force on outbox.suppression (account, recipient) where suppressed_at is not null;
