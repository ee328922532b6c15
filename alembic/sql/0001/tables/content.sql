-- Bodies by digest, beside the log. Callers' transactions that store the same body at the same time must not wait for
-- each other, so each may store its own copy; readers take any.
--
-- A body that is to be erased some time after it was sent (outbox.policy) is stored for its notification alone, under
-- a digest that is salted: no other one needs it, and when it is gone, nobody who has the log can try out which short
-- text it was.
create table outbox.content (
  digest       bytea not null,          -- SHA-256 of the salt, if there is one, and the body
  copy         xid8  not null default pg_current_xact_id(),
  body         jsonb not null,
  salt         bytea,                   -- the rest is null of what is kept
  notification uuid,                    -- whose body it is
  erase_after  interval,                -- so long after that was sent, or ended without success
  erase_at     timestamptz,             -- not to be looked at before
  primary key (digest, copy),
  check (num_nulls(salt, notification, erase_after, erase_at) in (0, 4))
);

create index content_erasing on outbox.content (erase_at) where erase_at is not null;

-- Which bodies name media; only those that do are in it.
create index content_media on outbox.content using gin (jsonb_path_query_array(body, '$.**.media'))
  where body ?| '{media,items}';
