-- Whom a recipient's id stands for. Beside the log, which never names a number: erasing a person deletes this row.
create table outbox.identity (
  recipient  uuid        primary key default gen_random_uuid(),
  jid        text        not null unique,
  registered boolean,                         -- whether the number has WhatsApp, as was found at checked_at
  checked_at timestamptz
);
