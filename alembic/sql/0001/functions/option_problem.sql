-- Judges the options of an enqueue: null when fine, otherwise the name of the rule that is broken.
create function outbox.option_problem(
  p_account text, p_idempotency_key text, p_priority integer, p_expires_in interval, p_max_attempts integer,
  p_on_unknown text, p_retry_after interval, p_retry_limit interval, p_metadata jsonb
) returns text language sql immutable parallel safe as $$
  select case
    when p_account is null or p_account !~ '^[a-z0-9][a-z0-9_.-]{0,62}$'       then 'bad_account'
    when length(p_idempotency_key) not between 1 and 255                        then 'bad_idempotency_key'
    when p_priority not between -32768 and 32767                                then 'bad_priority'
    when p_expires_in <= '0'                                                    then 'expiry_in_past'
    when p_max_attempts not between 1 and 1000                                  then 'bad_max_attempts'
    when p_on_unknown not in ('resend', 'hold')                                 then 'bad_on_unknown'
    when p_retry_after < '0' or p_retry_limit < '0' or p_retry_limit < p_retry_after then 'bad_retry'
    when jsonb_typeof(p_metadata) <> 'object'                                   then 'bad_metadata'
  end
$$;
