-- Withdraws a notification that is pending, or whose outcome is unknown. Cancelling it twice is harmless.
-- The metadata are kept with the event, as those of outbox.enqueue are.
create function outbox.cancel(notification uuid, reason text default null, metadata jsonb default '{}')
returns void language plpgsql
security definer set search_path = pg_catalog, pg_temp  -- for roles that may do this and no more: outbox.grant_roles
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
#variable_conflict use_column
declare
  v_row outbox.notification;
begin
  select * into v_row from outbox.notification n where n.id = cancel.notification for update;
  if not found then
    perform outbox.refuse('unknown_notification', cancel.notification::text);
  elsif v_row.state = 'cancelled' then
    return;
  elsif v_row.state not in ('pending', 'unknown') then
    perform outbox.refuse('cannot_cancel', format('%s is %s', cancel.notification, v_row.state));
  end if;
  insert into outbox.event (account, stream, version, type, data, metadata)
  values (v_row.account, v_row.id, v_row.version + 1, 'cancelled',
          jsonb_strip_nulls(jsonb_build_object('reason', cancel.reason)), coalesce(cancel.metadata, '{}'));
end $$;
