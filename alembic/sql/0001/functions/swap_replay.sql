-- Puts replayed projections in the place of the live ones: what a changed rule makes of the whole log, from one moment
-- to the next. p_seen is the snapshot through which they are up to date. Returns how many events they still lacked.
--
-- Whoever appends waits meanwhile, so call it with a lock_timeout and a statement_timeout, and again if they end it: it
-- all happens or nothing. The locks are taken in the order in which others take them: an enqueue looks at who is
-- suppressed before it appends, and delivery has the rest of the order. Whoever has appended holds one of them until it
-- commits, since outbox.project_notification always writes; so once they are held, all that was projected into the old
-- tables is committed, and a snapshot that is taken then sees it. An append that is under way and has not come so far
-- waits, then projects into the new tables: names are looked up again after such a change.
--
-- The tables change places as a whole, with indexes and constraints, which have the names that they had in the schema
-- beside. What hangs on the old tables is made anew on the new ones: owner, grants, triggers, views. If anything else
-- hangs on them, dropping them fails, and nothing has happened.
create function outbox.swap_replay(p_schema text, p_seen pg_snapshot, p_restored_through bigint)
returns bigint language plpgsql
set search_path = pg_catalog, pg_temp  -- so that what is written down has every name in full
as $$
declare
  v_names      text[] := '{notification,recipient,connection,suppression}';
  v_before     text   := p_schema || '_before';
  v_name       text;
  v_statement  text;
  v_afterwards text[];
  v_events     bigint;
begin
  lock table outbox.suppression, outbox.notification, outbox.recipient, outbox.connection in access exclusive mode;
  select r.events into v_events from outbox.replay_since(p_schema, p_seen, p_restored_through) r;

  if exists (select from pg_proc live
             join pg_proc copy on copy.proname = live.proname and copy.pronamespace = p_schema::regnamespace
             where live.pronamespace = 'outbox'::regnamespace and live.prosrc <> copy.prosrc) then
    raise exception 'their rules have changed since the rebuild began'
      using errcode = 'object_not_in_prerequisite_state', hint = 'Rebuild once more.';
  end if;

  with projection as (
    select oid, relname, relowner, relacl from pg_class where oid = any (array(select ('outbox.' || n)::regclass from unnest(v_names) n))
  ), granted as (
    select p.relname, null::name as attname, g.* from projection p, aclexplode(p.relacl) g where g.grantee <> p.relowner
    union all
    select p.relname, a.attname, g.*
    from projection p join pg_attribute a on a.attrelid = p.oid and not a.attisdropped, aclexplode(a.attacl) g
  ), statement (nth, text) as (
    select 1, format('alter table outbox.%I owner to %I', relname, pg_get_userbyid(relowner)) from projection
    union all
    select 2, format('grant %s%s on outbox.%I to %s%s', privilege_type, ' (' || quote_ident(attname) || ')', relname,
                     case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
                     case when is_grantable then ' with grant option' else '' end) from granted
    union all
    select 3, pg_get_triggerdef(t.oid) from projection p join pg_trigger t on t.tgrelid = p.oid and not t.tgisinternal
    union all
    select distinct 4, format('create or replace view %s.%I%s as %s', v.relnamespace::regnamespace, v.relname,
                              ' with (' || array_to_string(v.reloptions, ', ') || ')', pg_get_viewdef(v.oid))
    from projection p
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = p.oid and d.classid = 'pg_rewrite'::regclass
    join pg_rewrite r on r.oid = d.objid
    join pg_class v on v.oid = r.ev_class and v.relkind = 'v'
  )
  select array_agg(text order by nth) into v_afterwards from statement;

  execute format('create schema %I', v_before);
  foreach v_name in array v_names loop
    execute format('alter table outbox.%I set schema %I', v_name, v_before);
    execute format('alter table %I.%I reset (autovacuum_enabled)', p_schema, v_name);
    execute format('alter table %I.%I set schema outbox', p_schema, v_name);
  end loop;
  foreach v_statement in array v_afterwards loop
    execute v_statement;
  end loop;
  foreach v_name in array v_names loop
    execute format('drop table %I.%I', v_before, v_name);
  end loop;
  execute format('drop schema %I', v_before);
  return v_events;
end $$;
