-- How it is known who did what an event tells of:
--   token     a request to the HTTP API or a click in the pages, under the token of this name
--   person    somebody at the command line: their name on that machine
--   worker    an account's owner: the worker that held the lease of the event's epoch
-- Null for what the database does by itself (a notification that expires, a lease that lapses) and for what was asked for
-- in SQL. Of what is enqueued, cancelled and requeued in SQL the metadata are the caller's, so a name there is its word.
create function audit.doer_kind(type text, metadata jsonb) returns text language sql immutable parallel safe as $$
  select case when metadata = '{}' and type not in ('lease_acquired', 'lease_released') then null
              when metadata ? 'token' then 'token'
              when metadata ? 'person' then 'person'
              when type in ('lease_acquired', 'lease_released') then 'worker'
              when metadata ? 'epoch' and type not in ('enqueued', 'cancelled', 'requeued') then 'worker' end
$$;

comment on function audit.doer_kind is 'How it is known who did what an event tells of: by a token, a person or a worker.';
