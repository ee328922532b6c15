-- Projects the events of connections into outbox.connection: where each account's connection stands.
-- Versions are held as in outbox.project_notification: the next one or none.
--
-- Started attempts of paced sessions are told here, too: each says when the account's bucket will be full again, and
-- the latest moment holds. It is a maximum, so the order of projecting is free, though notifications are other streams.
create function outbox.project_connection() returns trigger language plpgsql
set search_path = outbox, pg_temp as $$
declare
  v_left    integer;  -- events that have not been applied
  v_applied integer;
begin
  if exists (select from added where type = 'attempt_started' and data ? 'bucket_full_at') then
    insert into connection as c (account, stream, version, state, changed_at, bucket_full_at)
    select account, connection_stream(account), 0, 'free', min(recorded_at), max((data->>'bucket_full_at')::timestamptz)
    from added where type = 'attempt_started' and data ? 'bucket_full_at'
    group by account
    on conflict (account) do update set bucket_full_at = greatest(c.bucket_full_at, excluded.bucket_full_at);
  end if;

  if not exists (select from added where type = any (outbox.connection_types())) then
    return null;
  end if;
  select count(*) into v_left from added where type = any (outbox.connection_types());

  insert into connection (account, stream, version, state, changed_at)
  select account, stream, 0, 'free', recorded_at
  from added where version = 1 and type = any (outbox.connection_types())
  on conflict do nothing;

  while v_left > 0 loop
    update connection c set
      state        = next_connection_state(c.state, a.type),
      version      = a.version,
      changed_at   = a.recorded_at,
      epoch        = coalesce((a.data->>'epoch')::bigint, c.epoch),
      failures     = case when a.type in ('connected', 'paired', 'resumed') then 0
                          when a.type in ('disconnected', 'replaced')        then c.failures + 1
                          else c.failures end,
      connected_at = case when a.type = 'connected' then a.recorded_at else c.connected_at end,
      reconnect_at = case when a.type like 'lease_%' or a.type in ('draining', 'throttled', 'restricted')
                          then c.reconnect_at
                          else (a.data->>'reconnect_at')::timestamptz end,
      reason       = case when a.type in ('connected', 'paired', 'resumed') then null
                          when a.type in ('throttled', 'restricted')        then c.reason
                          else coalesce(a.data->>'reason', c.reason) end,
      throttles       = case a.type when 'throttled' then (a.data->>'throttles')::integer else c.throttles end,
      throttled_until = case a.type when 'throttled' then (a.data->>'until')::timestamptz else c.throttled_until end,
      strangers_after = case a.type when 'restricted' then (a.data->>'until')::timestamptz else c.strangers_after end,
      lacks_ffmpeg    = case a.type when 'lease_acquired' then coalesce(a.metadata->'ffmpeg' = 'false', false)
                                    else c.lacks_ffmpeg end
    from added a
    where a.type = any (outbox.connection_types())
      and c.account = a.account and c.stream = a.stream and c.version = a.version - 1;
    get diagnostics v_applied = row_count;
    if v_applied = 0 then
      perform outbox.refuse('version_conflict', (
        select string_agg(format('%s version %s of the connection of %s, which is at version %s',
                                 a.type, a.version, a.account, c.version), '; ')
        from added a left join connection c using (account) where a.type = any (outbox.connection_types())));
    end if;
    v_left := v_left - v_applied;
  end loop;
  return null;
end $$;
