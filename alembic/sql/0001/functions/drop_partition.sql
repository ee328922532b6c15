-- Takes a month out of the log once an archive holds it. Refuses if it has not the events that were archived.
-- Whoever appends waits for no longer than the lock is waited for: give a lock_timeout.
create function outbox.drop_partition(p_partition text) returns void language plpgsql as $$
declare
  v_archived bigint;
  v_found    bigint;
begin
  select events into v_archived from outbox.archive where partition = p_partition and dropped_at is null for update;
  if v_archived is null then
    raise exception '% is in no archive', p_partition using errcode = 'object_not_in_prerequisite_state';
  end if;
  -- A transaction that has appended to it is waited for, and nobody appends to a month that is over.
  execute format('lock table outbox.%I in share mode', p_partition);
  execute format('select count(*) from outbox.%I', p_partition) into v_found;
  if v_found <> v_archived then
    raise exception '% has % events, and its archive %', p_partition, v_found, v_archived
      using errcode = 'object_not_in_prerequisite_state', hint = 'Archive it again.';
  end if;
  execute format('alter table outbox.event detach partition outbox.%I', p_partition);
  execute format('drop table outbox.%I', p_partition);
  update outbox.archive set dropped_at = statement_timestamp() where partition = p_partition;
end $$;
