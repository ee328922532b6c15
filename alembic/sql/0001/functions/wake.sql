-- Tells the account's owner that its queue has grown, if it is parked. NOTIFY takes a lock of the whole server at
-- commit, so an owner that is awake is not told: it looks by itself.
create function outbox.wake(p_account text) returns void language plpgsql as $$
begin
  if exists (select from outbox.lease where account = p_account and wake) then
    perform pg_notify('outbox', p_account);
  end if;
end $$;
