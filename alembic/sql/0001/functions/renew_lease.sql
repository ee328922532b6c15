-- Renews a lease. Returns whether the account is still owned with this epoch.
create function outbox.renew_lease(p_account text, p_epoch bigint, p_duration interval) returns boolean language plpgsql as $$
begin
  update outbox.lease set until = statement_timestamp() + p_duration
  where account = p_account and epoch = p_epoch and owner is not null;
  return found;
end $$;
