-- Lets a connection that waits, or that was halted, be built again now: an operator's word.
-- The metadata are kept with the event, as those of outbox.requeue are.
create function outbox.resume(account text, metadata jsonb default '{}') returns void language plpgsql as $$
begin
  perform from outbox.lease l where l.account = resume.account for update;
  if not exists (select from outbox.connection c where c.account = resume.account) then
    perform outbox.refuse('unknown_account', resume.account);
  end if;
  perform outbox.append_connection(resume.account, 'resumed', jsonb_build_object('reconnect_at', statement_timestamp()),
                                   coalesce(resume.metadata, '{}'));
  perform pg_notify('outbox', resume.account);
end $$;
