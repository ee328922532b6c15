-- The state of a connection after all events of its stream so far, in the order of their versions:
--   select recorded_at, outbox.last_connection_state(type) over (order by version) from outbox.event where stream = …
create aggregate outbox.last_connection_state(type text) (
  sfunc = outbox.next_connection_state, stype = text, initcond = 'free', parallel = safe
);
