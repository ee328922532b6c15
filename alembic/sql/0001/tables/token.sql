-- Who may use the HTTP API, and for what. Only a digest is kept of a token, so whoever reads this table has none. A
-- revoked one stays, and so does its name: the log says by name on whose behalf something was done.
create table outbox.token (
  name       text        primary key check (name ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
  digest     bytea       not null unique check (length(digest) = 32),  -- SHA-256
  scopes     text[]      not null check (scopes <> '{}' and scopes <@ '{enqueue,read,operate,admin}'),
  created_at timestamptz not null default statement_timestamp(),
  expires_at timestamptz,
  revoked_at timestamptz
);
