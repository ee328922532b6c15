-- A UUID of version 7 (RFC 9562): milliseconds since 1970 first, so that new rows meet at the end of an index. The
-- rest, with its variant, is that of a random UUID of version 4.
create function outbox.uuid7(p_at timestamptz default clock_timestamp()) returns uuid language sql volatile parallel safe as $$
  select (lpad(to_hex((extract(epoch from p_at) * 1000)::bigint), 12, '0') || '7' || substr(gen_random_uuid()::text, 16))::uuid
$$;
