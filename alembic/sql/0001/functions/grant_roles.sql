-- Makes two roles to grant to others, where the server lets this one make roles, and gives them what they may:
--
--   outbox_application  enqueue, cancel and requeue by calling the functions, and see how notifications stand
--   outbox_auditor      read the log and everything that a verification or an audit needs, and change nothing
--
-- Neither may insert into the log, change or delete anything, or read tokens, webhooks' secrets and logins. Call it
-- again after a restore to a server that did not have the roles. Returns whether they are there.
-- p_prefix: other than outbox where several outboxes share a server and must not share roles.
create function outbox.grant_roles(p_prefix text default 'outbox') returns boolean language plpgsql as $$
declare
  v_application text := p_prefix || '_application';
  v_auditor     text := p_prefix || '_auditor';
  v_role        text;
  v_function    regprocedure;
begin
  foreach v_role in array array[v_application, v_auditor] loop
    if not exists (select from pg_roles where rolname = v_role) then
      begin
        execute format('create role %I nologin', v_role);
      exception
        when insufficient_privilege then
          return false;
        when duplicate_object or unique_violation then
          null;  -- somebody else has made it meanwhile
      end;
    end if;
  end loop;

  execute format('grant usage on schema outbox to %I, %I', v_application, v_auditor);
  for v_function in
    select oid::regprocedure from pg_proc where pronamespace = 'outbox'::regnamespace and prosecdef
  loop
    execute format('revoke execute on function %s from public', v_function);
    execute format('grant execute on function %s to %I', v_function, v_application);
  end loop;
  execute format('grant select on outbox.notification, outbox.recipient, outbox.connection, outbox.suppression to %I, %I',
                 v_application, v_auditor);
  execute format('grant select on outbox.event, outbox.event_position, outbox.seal, outbox.archive, outbox.cursor,
                                  outbox.restore_epoch, outbox.lease, outbox.policy, outbox.identity, outbox.content,
                                  outbox.idempotency to %I', v_auditor);
  execute format('grant usage on schema audit to %I', v_auditor);
  execute format('grant select on all tables in schema audit to %I', v_auditor);
  return true;
end $$;
