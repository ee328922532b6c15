-- How long to wait after so many failures in a row: the first delay, doubled each time up to the limit, and a random
-- part of it (jitter, 0 to 1) on top, so that many recipients that failed together do not come back together.
create function outbox.retry_delay(p_failures integer, p_after interval, p_limit interval, p_jitter real)
returns interval language sql volatile parallel safe as $$
  select least(p_limit, p_after * 2 ^ least(greatest(p_failures, 1) - 1, 30)) * (1 + p_jitter * random())
$$;
