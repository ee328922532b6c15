-- Ends what was not sent in time, up to a limit, oldest first; the rest in the next call. What is being sent is left
-- to its outcome. Returns how many.
create function outbox.expire(p_limit integer default 1000) returns integer language plpgsql as $$
declare
  v_expired integer;
begin
  with late as materialized (
    select n.id, n.account, n.version, n.state from outbox.notification n
    where n.open and n.state in ('pending', 'unknown') and n.expires_at <= statement_timestamp()
    order by n.expires_at limit p_limit
    for update skip locked
  )
  insert into outbox.event (account, stream, version, type, data)
  select l.account, l.id, l.version + 1, 'expired', jsonb_build_object('state', l.state) from late l;
  get diagnostics v_expired = row_count;
  return v_expired;
end $$;
