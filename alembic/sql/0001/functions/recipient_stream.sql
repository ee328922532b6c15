-- The stream of a recipient with an account, or with all of them ('*'): the same two, the same id.
create function outbox.recipient_stream(p_account text, p_recipient uuid) returns uuid
language sql immutable parallel safe as $$
  select encode(substring(sha256(convert_to('recipient:' || p_account || ':' || p_recipient, 'UTF8')) from 1 for 16), 'hex')::uuid
$$;
