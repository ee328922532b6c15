-- Says whether the owner wants to be told of new notifications. An owner that has parked must look once more
-- afterwards, and again while a transaction runs that was running at that look: it may not have seen the wish.
create function outbox.park(p_account text, p_epoch bigint, p_wake boolean) returns void language plpgsql as $$
begin
  update outbox.lease set wake = p_wake where account = p_account and epoch = p_epoch and owner is not null;
  if not found then
    perform outbox.refuse('stale_epoch', format('epoch %s of account %s', p_epoch, p_account));
  end if;
end $$;
