-- Judges the options of an enqueue: null when fine, otherwise the name of the rule that is broken.
--
-- A time after the year 3000 or a duration of more than a hundred years is a mistake; further away still, programs
-- could not read the row any more (Python's years end at 9999).
create function outbox.option_problem(
  p_account text, p_idempotency_key text, p_priority integer, p_send_at timestamptz, p_expires_in interval,
  p_max_attempts integer, p_on_unknown text, p_retry_after interval, p_retry_limit interval, p_metadata jsonb
) returns text language sql immutable parallel safe as $$
  select case
    when p_account is null or p_account !~ '^[a-z0-9][a-z0-9_.-]{0,62}$'       then 'bad_account'
    when length(p_idempotency_key) not between 1 and 255                        then 'bad_idempotency_key'
    when p_priority not between -32768 and 32767                                then 'bad_priority'
    when not isfinite(p_send_at) or p_send_at >= '3000-01-01 00:00+00'          then 'bad_send_at'
    when p_expires_in <= '0'                                                    then 'expiry_in_past'
    when p_expires_in > '876600 hours'                                          then 'bad_expires_in'
    when p_max_attempts not between 1 and 1000                                  then 'bad_max_attempts'
    when p_on_unknown not in ('resend', 'hold')                                 then 'bad_on_unknown'
    when least(p_retry_after, p_retry_limit) < '0' or greatest(p_retry_after, p_retry_limit) > '876600 hours'
      or p_retry_limit < p_retry_after                                          then 'bad_retry'
    when jsonb_typeof(p_metadata) <> 'object'                                   then 'bad_metadata'
  end
$$;
