-- The fence: refuses whoever does not own the account with this epoch, and holds the lease row against a change of
-- owner until the caller's transaction ends.
create function outbox.check_epoch(p_account text, p_epoch bigint) returns void language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
begin
  perform from outbox.lease where account = p_account and epoch = p_epoch and owner is not null for share;
  if not found then
    perform outbox.refuse('stale_epoch', format('epoch %s of account %s', p_epoch, p_account));
  end if;
end $$;
