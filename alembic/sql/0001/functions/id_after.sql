-- An id that is greater than that of any notification made until a moment: ids are UUIDs of version 7, which begin with
-- the milliseconds since 1970. So a comparison finds what was enqueued before, without a look at each one's first event.
create function audit.id_after(moment timestamptz) returns uuid language sql immutable parallel safe as $$
  select case when moment = 'infinity' then 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
              else rpad(lpad(to_hex((extract(epoch from moment) * 1000)::bigint + 1), 12, '0'), 32, '0')::uuid end
$$;

comment on function audit.id_after is 'An id greater than that of any notification made until a moment.';
