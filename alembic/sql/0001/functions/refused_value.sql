-- The value that broke a rule, out of one enqueue written as JSON: what an error has to show.
create function outbox.refused_value(p_rule text, p_enqueue jsonb) returns text language sql stable as $$
  select case p_rule
    when 'bad_recipient'       then p_enqueue->>'recipient'
    when 'bad_account'         then p_enqueue->>'account'
    when 'bad_idempotency_key' then p_enqueue->>'idempotency_key'
    when 'bad_priority'        then p_enqueue->>'priority'
    when 'bad_send_at'         then p_enqueue->>'send_at'
    when 'bad_expires_in'      then p_enqueue->>'expires_in'
    when 'expiry_in_past'      then p_enqueue->>'expires_in'
    when 'bad_max_attempts'    then p_enqueue->>'max_attempts'
    when 'bad_on_unknown'      then p_enqueue->>'on_unknown'
    when 'bad_retry'           then concat_ws(', ', p_enqueue->>'retry_after', p_enqueue->>'retry_limit')
    when 'bad_metadata'        then p_enqueue->>'metadata'
    when 'personal_metadata'   then p_enqueue->>'metadata'
    else outbox.describe_content(p_enqueue->'content', p_rule)
  end
$$;
