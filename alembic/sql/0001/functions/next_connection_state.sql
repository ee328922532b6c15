-- The state of an account's connection after an event of its stream, given the state before it.
-- Who owns the account, and that a worker stops, changes nothing about what WhatsApp has said of it; that WhatsApp
-- refused to send changes nothing about the connection.
create function outbox.next_connection_state(state text, type text)
returns text language sql immutable parallel safe as $$
  select case
    when type in ('throttled', 'restricted') then state
    when (type like 'lease_%' or type = 'draining') and state in ('logged_out', 'banned', 'outdated', 'halted')
      then state
    else case type when 'lease_acquired'      then 'owned'
                   when 'lease_released'      then 'free'
                   when 'lease_lost'          then 'free'
                   when 'pairing_offered'     then 'pairing'
                   when 'reconnect_scheduled' then 'waiting'
                   when 'resumed'             then 'waiting'
                   when 'replaced'            then 'fenced'
                   else type end
  end
$$;
