-- Takes the lease of an account for a new owner, if it is free or has lapsed; with p_pairing, for who pairs or unpairs
-- the account, also from an owner that lives, unless it has, builds or ends a connection, or pairs the account itself.
-- Whoever owns an account that cannot connect is fenced like one whose lease has lapsed, and gets it back when it is
-- free. An account that somebody wants (outbox.want_lease) is free for pairing only.
-- Returns the new epoch, or null while somebody else owns the account.
create function outbox.acquire_lease(p_account text, p_owner uuid, p_duration interval, p_worker jsonb default '{}',
                                     p_pairing boolean default false)
returns bigint language plpgsql as $$
declare
  v_epoch bigint;
begin
  insert into outbox.lease (account) values (p_account) on conflict do nothing;
  if p_pairing then
    -- Locked by a statement of its own: what the owner has recorded until then is seen by the next one.
    perform from outbox.lease where account = p_account for update;
    update outbox.lease set until = '-infinity'
    where account = p_account and owner is not null and not pairing
      and not exists (select from outbox.connection
                      where account = p_account and state in ('connecting', 'connected', 'draining'));
  end if;
  perform outbox.rescue_leases();
  update outbox.lease
  set owner = p_owner, epoch = epoch + 1, until = statement_timestamp() + p_duration, wake = false, pairing = p_pairing,
      wanted_until = '-infinity'
  where account = p_account and owner is null and (p_pairing or wanted_until < statement_timestamp())
  returning epoch into v_epoch;
  if v_epoch is not null then
    perform outbox.append_connection(p_account, 'lease_acquired',
                                     jsonb_build_object('epoch', v_epoch, 'owner', p_owner), p_worker);
  end if;
  return v_epoch;
end $$;
