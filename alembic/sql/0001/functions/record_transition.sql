-- Appends what happened to an account's connection. After an end that may be mended the next try is scheduled in the
-- same breath: 2^n seconds for the n-th failure in a row, up to five minutes, with jitter; after a ban when it ends.
-- What nobody understands (halted) is tried once more after a quarter of an hour; if that ends in the same way, it is
-- an operator's.
-- A second replacement within ten minutes halts the account, since two clients that fight get it banned. The second is
-- one under another epoch: after the first the lease is taken anew, and a record that is repeated counts once.
-- p_metadata says who caused it, where somebody did.
-- Returns when to connect again, or null when not by itself.
create function outbox.record_transition(p_account text, p_epoch bigint, p_type text, p_reason text default null,
                                         p_retry_after interval default null, p_metadata jsonb default '{}')
returns timestamptz language plpgsql as $$
declare
  v_metadata jsonb := p_metadata || jsonb_build_object('epoch', p_epoch);
  v_stream   uuid  := outbox.connection_stream(p_account);
  v_failures integer;
  v_at       timestamptz;
begin
  perform outbox.check_epoch(p_account, p_epoch);
  perform outbox.append_connection(p_account, p_type, jsonb_build_object(
    'reason', nullif(p_reason, ''), 'until', statement_timestamp() + p_retry_after), v_metadata);

  if p_type = 'disconnected' then
    select failures into v_failures from outbox.connection where account = p_account;
    v_at := statement_timestamp() + outbox.retry_delay(v_failures, '1 second', '5 minutes', 0.2);
  elsif p_type = 'banned' and p_retry_after is not null then
    v_at := statement_timestamp() + p_retry_after;
  elsif p_type = 'halted' and not exists (
      -- halted since it last stood or was paired, and tried again after that
      select from outbox.event h
      where h.stream = v_stream and h.type = 'halted'
        and h.version > all (select e.version from outbox.event e
                             where e.stream = v_stream and e.type in ('connected', 'paired'))
        and h.version < any (select e.version from outbox.event e
                             where e.stream = v_stream and e.type = 'connecting')) then
    v_at := statement_timestamp() + outbox.retry_delay(1, '15 minutes', '15 minutes', 0.2);
  elsif p_type = 'replaced' and exists (
      select from outbox.event e
      where e.stream = v_stream and e.type = 'replaced'
        and e.recorded_at > statement_timestamp() - interval '10 minutes'
        and e.metadata->'epoch' is distinct from to_jsonb(p_epoch)) then
    perform outbox.append_connection(p_account, 'halted', jsonb_build_object(
      'reason', 'replaced twice within ten minutes: another client uses this account; stop it, then: outbox resume'),
      v_metadata);
  end if;

  if v_at is not null then
    perform outbox.append_connection(p_account, 'reconnect_scheduled', jsonb_build_object('reconnect_at', v_at), v_metadata);
  end if;
  return v_at;
end $$;
