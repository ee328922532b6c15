-- An event as a line of JSON, the same to the byte wherever and whenever it is written: what archives hold, and what
-- seals digest. Moments are UTC, to the microsecond; data and metadata as jsonb writes them.
-- Of the language sql and without settings of its own, so that it becomes a part of the query that calls it.
create function outbox.event_line(e outbox.event) returns text language sql stable parallel safe as $$
  select '{"position":' || e.position
      || ',"xid":"' || e.xid::text
      || '","recorded_at":"' || to_char(e.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
      || '","account":' || to_json(e.account)
      || ',"stream":"' || e.stream
      || '","version":' || e.version
      || ',"type":' || to_json(e.type)
      || ',"data":' || e.data
      || ',"metadata":' || e.metadata
      || '}'
$$;
