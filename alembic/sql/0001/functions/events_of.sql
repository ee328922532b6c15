-- The events that lines of JSON stand for, the reverse of outbox.event_line, as an archive gives them back.
create function outbox.events_of(p_lines jsonb) returns setof outbox.event language sql immutable as $$
  select (l->>'position')::bigint, (l->>'xid')::xid8, (l->>'recorded_at')::timestamptz, l->>'account',
         (l->>'stream')::uuid, (l->>'version')::integer, l->>'type', l->'data', l->'metadata'
  from jsonb_array_elements(p_lines) l
  order by (l->>'position')::bigint
$$;
