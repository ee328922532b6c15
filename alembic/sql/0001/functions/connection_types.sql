-- The types of event that a connection's stream has; a recipient's are those of outbox.recipient_types, and every other
-- type is a notification's.
create function outbox.connection_types() returns text[] language sql immutable parallel safe as $$
  select '{lease_acquired,lease_released,lease_lost,connecting,pairing_offered,paired,connected,disconnected,'
         'reconnect_scheduled,logged_out,replaced,banned,outdated,halted,resumed,draining,'
         'throttled,restricted}'::text[]
$$;
