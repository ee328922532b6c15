-- Takes the lease of an account for a new owner, if it is free or has lapsed.
-- Returns the new epoch, or null while somebody else owns the account.
create function outbox.acquire_lease(p_account text, p_owner uuid, p_duration interval, p_worker jsonb default '{}')
returns bigint language plpgsql as $$
declare
  v_epoch bigint;
begin
  insert into outbox.lease (account) values (p_account) on conflict do nothing;
  perform outbox.rescue_leases();
  update outbox.lease set owner = p_owner, epoch = epoch + 1, until = statement_timestamp() + p_duration, wake = false
  where account = p_account and owner is null
  returning epoch into v_epoch;
  if v_epoch is not null then
    perform outbox.append_connection(p_account, 'lease_acquired',
                                     jsonb_build_object('epoch', v_epoch, 'owner', p_owner), p_worker);
  end if;
  return v_epoch;
end $$;
