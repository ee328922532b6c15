-- Notices a logical restore and begins a new epoch after one. Returns the epoch that now holds; call it at start-up,
-- outside any savepoint (a row written in one is marked with the savepoint's own id).
--
-- A row carries the id of the transaction that wrote it twice: in xid, which a dump keeps, and in the system column
-- xmin, which the restoring transaction sets anew. Where they differ in the latest epoch's row, it has been restored.
create function outbox.begin_epoch() returns integer language plpgsql as $$
declare
  v_epoch    integer;
  v_row      xid;      -- who wrote the latest epoch's row: after a restore, the restoring transaction
  v_restored boolean;
  v_now      bigint;
begin
  select epoch, xmin, xmin::text::bigint <> mod(xid::text::numeric, 4294967296) into v_epoch, v_row, v_restored
  from outbox.restore_epoch order by epoch desc limit 1;
  if not v_restored then
    return v_epoch;
  end if;

  lock table outbox.restore_epoch in exclusive mode;
  if exists (select from outbox.restore_epoch where epoch > v_epoch) then
    return v_epoch + 1;
  end if;
  -- The id of an event that was appended here lies above that of the restore, and not above that of its own row. Any
  -- other came with the restore: it must not be taken for news when the counter gets there, nor be read again.
  v_now := pg_current_xact_id()::text::bigint;
  insert into outbox.restore_epoch (epoch, restored_through)
  select v_epoch + 1, coalesce(max(e.position), 0)
  from outbox.event e
  where e.xid::text::bigint <= v_now - age(v_row) or e.xid::text::bigint > v_now - age(e.xmin);
  return v_epoch + 1;
end $$;
