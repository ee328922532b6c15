-- The stream of an account's connection: the same account, the same id.
create function outbox.connection_stream(p_account text) returns uuid language sql immutable parallel safe as $$
  select encode(substring(sha256(convert_to('connection:' || p_account, 'UTF8')) from 1 for 16), 'hex')::uuid
$$;
