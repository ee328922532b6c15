-- The SHA-256 digests of the events in a range of positions, each over its line (outbox.event_line), in the order of
-- positions: both as one value, since a million of them are read at a time. A position is eight bytes, the most
-- significant first, and a digest 32.
create function outbox.event_digests(p_after bigint, p_through bigint, out positions bytea, out digests bytea)
language sql stable
set enable_seqscan = off  -- the rows lie where they were written, so the BRIN index finds them
as $$
  select coalesce(string_agg(int8send(d.position), '' order by d.position, d.digest), ''),
         coalesce(string_agg(d.digest, '' order by d.position, d.digest), '')
  from (
    select e.position, sha256(convert_to(outbox.event_line(e), 'UTF8')) as digest
    from outbox.event e
    where e.position > p_after and e.position <= p_through
    offset 0  -- digested before they are sorted: a digest is short, and an event is not
  ) d
$$;
