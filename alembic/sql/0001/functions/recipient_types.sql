-- The types of event that a recipient's stream has.
create function outbox.recipient_types() returns text[] language sql immutable parallel safe as $$
  select '{suppressed,unsuppressed,forgotten}'::text[]
$$;
