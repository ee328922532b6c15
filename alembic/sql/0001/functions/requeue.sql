-- Gives a notification that ended without success, or whose outcome is held as unknown, a new start: its failures are
-- forgotten, it is due now, and it expires after expires_in (from the account's policy unless given). A recipient that
-- waits after a failure still does: what it waits for is not this notification. Without its body or its recipient, which
-- may have been erased, nothing can be sent.
-- The metadata are kept with the event, as those of outbox.enqueue are.
create function outbox.requeue(notification uuid, expires_in interval default null, reason text default null,
                               metadata jsonb default '{}')
returns void language plpgsql
security definer set search_path = pg_catalog, pg_temp  -- for roles that may do this and no more: outbox.grant_roles
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
#variable_conflict use_column
declare
  v_row outbox.notification;
begin
  if requeue.expires_in <= '0' then
    perform outbox.refuse('expiry_in_past', requeue.expires_in::text);
  end if;
  select * into v_row from outbox.notification n where n.id = requeue.notification for update;
  if not found then
    perform outbox.refuse('unknown_notification', requeue.notification::text);
  elsif v_row.state not in ('rejected', 'expired', 'exhausted', 'cancelled', 'unknown') then
    perform outbox.refuse('cannot_requeue', format('%s is %s', requeue.notification, v_row.state));
  elsif not exists (select from outbox.content c where c.digest = v_row.content)
     or not exists (select from outbox.identity i where i.recipient = v_row.recipient) then
    perform outbox.refuse('erased', requeue.notification::text);
  elsif outbox.suppressed_because(v_row.account, v_row.recipient) is not null then
    perform outbox.refuse('suppressed', outbox.suppressed_because(v_row.account, v_row.recipient));
  end if;
  insert into outbox.event (account, stream, version, type, data, metadata)
  values (v_row.account, v_row.id, v_row.version + 1, 'requeued',
          jsonb_strip_nulls(jsonb_build_object(
            'state', v_row.state,
            'expires_at', statement_timestamp()
                          + coalesce(requeue.expires_in, (outbox.policy_of(v_row.account)).expires_in),
            'reason', requeue.reason)),
          coalesce(requeue.metadata, '{}'));
  perform outbox.wake(v_row.account);
end $$;
