-- By what one finds who did what an event tells of, given how it is known (audit.doer_kind): the name of a token or a
-- person; of a worker the epoch of its lease, which audit.lease has.
create function audit.doer_key(kind text, type text, data jsonb, metadata jsonb) returns text
language sql immutable parallel safe as $$
  select case when kind = 'worker' and type in ('lease_acquired', 'lease_released') then data->>'epoch'
              when kind = 'worker' then metadata->>'epoch'
              else metadata->>kind end
$$;

comment on function audit.doer_key is 'The name of the token or person who did what an event tells of, or the epoch of the worker.';
