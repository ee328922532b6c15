-- Tells the account's owner that its queue has grown, if it is parked. NOTIFY takes a lock of the whole server at
-- commit, so an owner that is awake is not told: it looks by itself.
--
-- To be called after the event has been appended, never before: whoever has appended is among the running transactions
-- that a parking owner waits for, and otherwise sees its wish. A transaction with one snapshot for all its statements
-- (repeatable read and up) may not see it, and tells in any case.
create function outbox.wake(p_account text) returns void language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
begin
  if exists (select from outbox.lease where account = p_account and wake)
     or current_setting('transaction_isolation') <> 'read committed' then
    perform pg_notify('outbox', p_account);
  end if;
end $$;
