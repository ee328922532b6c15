-- When a notification's id was made (a UUID of version 7 begins with the milliseconds since 1970), which is when it was
-- enqueued, give or take: to look for candidates without a look at each one's first event.
create function audit.made_at(notification uuid) returns timestamptz language sql immutable parallel safe as $$
  select to_timestamp(('x' || translate(left(notification::text, 13), '-', ''))::bit(48)::bigint / 1000.0)
$$;

comment on function audit.made_at is 'When the id of a notification was made, from the id itself.';
