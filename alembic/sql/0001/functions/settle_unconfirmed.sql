-- Settles by policy what evidence has not settled: an attempt that left a trace, or whose trace is not to be had any
-- more, whose account has been connected for the grace since, and for which no receipt came, is sent again if its
-- notification says 'resend'; 'hold' waits for an operator. Returns how many.
create function outbox.settle_unconfirmed(p_account text, p_epoch bigint)
returns integer language plpgsql as $$
declare
  v_policy  outbox.policy := outbox.policy_of(p_account);
  v_settled integer;
begin
  perform outbox.check_epoch(p_account, p_epoch);
  with unconfirmed as materialized (
    select n.id, n.version, n.attempts, n.failures + 1 >= n.max_attempts as exhausted
    from outbox.notification n join outbox.connection c using (account)
    where n.account = p_account and n.unsettled and n.on_unknown = 'resend'
      and (n.message_id is not null or not outbox.is_traceable(n.account, n.id))
      and c.state = 'connected'
      and greatest(n.changed_at, c.connected_at) + v_policy.grace <= statement_timestamp()
  ), appended as (
    insert into outbox.event (account, stream, version, type, data, metadata)
    select p_account, u.id, u.version + 1, 'attempt_failed',
           jsonb_build_object('attempt', u.attempts, 'class', 'unconfirmed',
                              'error', 'it may have left, and no receipt came within the grace'),
           jsonb_build_object('epoch', p_epoch)
    from unconfirmed u
    union all
    select p_account, u.id, u.version + 2, 'exhausted', jsonb_build_object('attempt', u.attempts),
           jsonb_build_object('epoch', p_epoch)
    from unconfirmed u where u.exhausted
  )
  select count(*) into v_settled from unconfirmed;
  return v_settled;
end $$;
