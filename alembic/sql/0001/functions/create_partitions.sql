-- Makes the partitions from this month to so many months ahead. Returns how many were made.
create function outbox.create_partitions(p_months_ahead integer default 3) returns integer language sql as $$
  select count(*) filter (where outbox.create_partition(month::date))::integer
  from generate_series(date_trunc('month', now() at time zone 'UTC'),
                       date_trunc('month', now() at time zone 'UTC') + make_interval(months => p_months_ahead),
                       interval '1 month') as month
$$;
