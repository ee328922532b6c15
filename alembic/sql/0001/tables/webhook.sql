-- Who is told of events over HTTP, and how that goes. Where each stands in the log is its row of outbox.cursor. The
-- secret is in the clear, since what is sent is signed with it. Written when a sender takes it, fails or succeeds after
-- a failure: never for an event.
create table outbox.webhook (
  name             text        primary key check (name ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
  url              text        not null,
  secret           text        not null check (secret like 'whsec\_%'),
  events           text[]      not null default '{}',           -- types; none: all
  account          text,                                        -- null: all
  created_at       timestamptz not null default statement_timestamp(),
  owner            uuid,                                        -- the sender that serves it
  leased_until     timestamptz,
  failing_since    timestamptz,
  failures         integer     not null default 0,              -- in a row
  retry_at         timestamptz,
  last_error       text,
  disabled_at      timestamptz,
  disabled_because text,
  check ((disabled_at is null) = (disabled_because is null)),
  check ((owner is null) = (leased_until is null))
) with (fillfactor = 50);
