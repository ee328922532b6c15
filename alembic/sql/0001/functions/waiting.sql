-- The notifications that have not ended, which the log could tell only by being read as a whole. The one place where
-- the projection is asked; by its name, when it is called, and with the owner's rights.
create function audit.waiting() returns table (account text, notification uuid) language sql stable parallel safe security definer
set search_path = outbox, pg_temp as $$
  select account, id from notification where open
$$;

comment on function audit.waiting is 'The notifications that have not ended yet.';
