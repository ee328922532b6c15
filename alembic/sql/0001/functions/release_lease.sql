-- Gives a lease back. What is still being sent has an unknown outcome from here on, since nobody is left to record it.
create function outbox.release_lease(p_account text, p_epoch bigint) returns void language plpgsql as $$
begin
  update outbox.lease set owner = null, until = '-infinity', wake = false
  where account = p_account and epoch = p_epoch and owner is not null;
  if not found then
    perform outbox.refuse('stale_epoch', format('epoch %s of account %s', p_epoch, p_account));
  end if;
  insert into outbox.event (account, stream, version, type, data)
  select p_account, n.id, n.version + 1, 'attempt_unknown',
         jsonb_build_object('attempt', n.attempts, 'error', 'the worker stopped before its outcome was known')
  from outbox.notification n where n.account = p_account and n.open and n.state = 'sending';
  perform outbox.append_connection(p_account, 'lease_released', jsonb_build_object('epoch', p_epoch));
end $$;
