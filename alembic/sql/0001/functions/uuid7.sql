-- A UUID of version 7 (RFC 9562, method 3): milliseconds since 1970 in 48 bits, then in 12 bits the part of a millisecond
-- that has gone by, so that what is made later sorts later and new rows meet at the end of an index. The rest, with its
-- variant, is that of a random UUID of version 4. One expression that names its parameter once: it is put into its caller.
create function outbox.uuid7(p_at timestamptz default clock_timestamp()) returns uuid language sql volatile parallel safe as $$
  select (overlay(lpad(to_hex((extract(epoch from p_at) * 4096000)::bigint), 15, '0') placing '7' from 13 for 0)
          || substr(gen_random_uuid()::text, 20))::uuid
$$;
