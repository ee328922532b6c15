-- Bodies by digest, beside the log. Callers' transactions that store the same body at the same time must not wait for
-- each other, so each may store its own copy; readers take any.
create table outbox.content (
  digest bytea not null,
  copy   xid8  not null default pg_current_xact_id(),
  body   jsonb not null,
  primary key (digest, copy)
);
