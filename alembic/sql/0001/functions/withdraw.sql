-- Cancels those of these notifications that are pending or of unknown outcome, with a reason; what is being sent or has
-- ended is left alone. Returns how many.
create function outbox.withdraw(p_notifications uuid[], p_reason text, p_metadata jsonb) returns integer language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
declare
  v_cancelled integer;
begin
  with open as (
    select n.id, n.account, n.version from outbox.notification n
    where n.id = any (p_notifications) and n.open and n.state in ('pending', 'unknown')
    order by n.id for update
  )
  insert into outbox.event (account, stream, version, type, data, metadata)
  select o.account, o.id, o.version + 1, 'cancelled', jsonb_build_object('reason', p_reason), coalesce(p_metadata, '{}')
  from open o;
  get diagnostics v_cancelled = row_count;
  return v_cancelled;
end $$;
