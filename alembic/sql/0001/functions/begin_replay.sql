-- Makes a scratch schema with empty projections and an event table that projects into them by the very rules that
-- project live: the bodies of its triggers are copied from the live ones. What the schema holds is noted in its comment,
-- by which outbox.replays finds it.
--
-- The projections have their keys alone, which the rules look rows up by: outbox.finish_replay adds the other indexes,
-- which nothing reads before. They have the fill factor of the live ones, so that most updates stay within their page.
create function outbox.begin_replay(p_schema text, p_note jsonb default '{}') returns void language plpgsql as $$
declare
  v_name    text;
  v_options text;
  v_key     record;
begin
  execute format('create schema %I', p_schema);
  execute format('comment on schema %I is %L', p_schema, 'outbox replay ' || p_note::text);
  execute format('create unlogged table %I.event (like outbox.event) with (autovacuum_enabled = false)', p_schema);
  foreach v_name in array '{notification,recipient,connection,suppression}'::text[] loop
    select concat_ws(', ', array_to_string(reloptions, ', '), 'autovacuum_enabled = false') into v_options
    from pg_class where oid = ('outbox.' || v_name)::regclass;
    execute format('create unlogged table %1$I.%2$I (like outbox.%2$I including all excluding indexes) with (%3$s)',
                   p_schema, v_name, v_options);
    for v_key in
      select conname, pg_get_constraintdef(oid) as definition
      from pg_constraint where conrelid = ('outbox.' || v_name)::regclass and contype in ('p', 'u')
    loop
      execute format('alter table %I.%I add constraint %I %s', p_schema, v_name, v_key.conname, v_key.definition);
    end loop;
  end loop;
  -- outbox.project_recipient writes two of them
  foreach v_name in array '{notification,recipient,connection}'::text[] loop
    execute format('create function %1$I.%2$I() returns trigger language plpgsql set search_path = %1$I, outbox, pg_temp as %3$L',
                   p_schema, 'project_' || v_name,
                   (select prosrc from pg_proc where oid = ('outbox.project_' || v_name)::regproc));
    execute format('create trigger %1$I after insert on %2$I.event referencing new table as added
                      for each statement execute function %2$I.%1$I()', 'project_' || v_name, p_schema);
  end loop;
end $$;
