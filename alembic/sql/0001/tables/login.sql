-- Which device of WhatsApp's store (the schema whatsapp, whose tables are whatsmeow's own) is an account's. Beside the
-- log, which holds no number: the device's JID names the account's.
create table outbox.login (
  account   text        primary key,
  jid       text        not null unique,
  paired_at timestamptz not null default statement_timestamp()
);
