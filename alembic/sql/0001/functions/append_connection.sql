-- Appends the next event of an account's connection. Its callers hold the account's lease row.
create function outbox.append_connection(p_account text, p_type text, p_data jsonb, p_metadata jsonb default '{}')
returns void language sql as $$
  insert into outbox.event (account, stream, version, type, data, metadata)
  select p_account, outbox.connection_stream(p_account),
         coalesce((select version from outbox.connection where account = p_account), 0) + 1,
         p_type, jsonb_strip_nulls(p_data), p_metadata
$$;
