-- The rule of the first option of an enqueue written as JSON whose text PostgreSQL cannot read, or null. Called only
-- when there is such an option in a batch, to find it: each call costs a subtransaction.
create function outbox.option_mistyped(p_given jsonb) returns text language plpgsql stable as $$
declare
  v_rule text;
begin
  v_rule := 'bad_priority';
  perform (p_given->>'priority')::integer;
  v_rule := 'bad_send_at';
  perform (p_given->>'send_at')::timestamptz;
  v_rule := 'bad_expires_in';
  perform (p_given->>'expires_in')::interval;
  v_rule := 'bad_max_attempts';
  perform (p_given->>'max_attempts')::integer;
  v_rule := 'bad_retry';
  perform (p_given->>'retry_after')::interval, (p_given->>'retry_limit')::interval;
  return null;
exception when data_exception then
  return v_rule;
end $$;
