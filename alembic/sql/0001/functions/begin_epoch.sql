-- Notices a logical restore and begins a new epoch after one. Returns the epoch that now holds; call it at start-up,
-- outside any savepoint (a row written in one is marked with the savepoint's own id).
--
-- A row carries the id of the transaction that wrote it twice: in xid, which a dump keeps, and in the system column
-- xmin, which the restoring transaction sets anew. Where they differ in the latest epoch's row, it has been restored.
create function outbox.begin_epoch() returns integer language plpgsql as $$
declare
  v_epoch    integer;
  v_restored boolean;
begin
  select epoch, xmin::text::bigint <> mod(xid::text::numeric, 4294967296) into v_epoch, v_restored
  from outbox.restore_epoch order by epoch desc limit 1;
  if not v_restored then
    return v_epoch;
  end if;

  lock table outbox.restore_epoch in exclusive mode;
  if exists (select from outbox.restore_epoch where epoch > v_epoch) then
    return v_epoch + 1;
  end if;
  -- A transaction's id is never above that of the row it writes, so an event whose id is above its row's came from
  -- the old server and must not be taken for news when the counter gets there again.
  insert into outbox.restore_epoch (epoch, restored_through)
  select v_epoch + 1, coalesce(max(position), 0) from outbox.event
  where mod(xid::text::numeric, 4294967296) > xmin::text::bigint;
  return v_epoch + 1;
end $$;
