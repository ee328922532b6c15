-- Makes a scratch schema with empty projections and an event table that projects into them by the very rules that
-- project live: the bodies of its triggers are copied from the live ones.
create function outbox.begin_replay(p_schema text) returns void language plpgsql as $$
declare
  v_name text;
begin
  execute format('create schema %I', p_schema);
  execute format('create unlogged table %I.event (like outbox.event)', p_schema);
  foreach v_name in array '{notification,recipient,connection}'::text[] loop
    execute format('create unlogged table %I.%I (like outbox.%I including all)', p_schema, v_name, v_name);
    execute format('create function %1$I.%2$I() returns trigger language plpgsql set search_path = %1$I, outbox, pg_temp as %3$L',
                   p_schema, 'project_' || v_name,
                   (select prosrc from pg_proc where oid = ('outbox.project_' || v_name)::regproc));
    execute format('create trigger %1$I after insert on %2$I.event referencing new table as added
                      for each statement execute function %2$I.%1$I()', 'project_' || v_name, p_schema);
  end loop;
end $$;
