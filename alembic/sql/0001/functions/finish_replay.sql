-- Gives replayed projections the indexes and the statistics that the live ones have. Those that are to take the place of
-- the live ones (p_to_swap) become logged, and go on projecting; of the others only the projections stay.
create function outbox.finish_replay(p_schema text, p_to_swap boolean default false) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  v_name  text;
  v_index text;
begin
  foreach v_name in array '{notification,recipient,connection,suppression}'::text[] loop
    if p_to_swap then
      execute format('alter table %I.%I set logged', p_schema, v_name);
    else
      execute format('alter table %I.%I reset (autovacuum_enabled)', p_schema, v_name);
    end if;
    for v_index in
      select pg_get_indexdef(x.indexrelid)
      from pg_index x
      where x.indrelid = ('outbox.' || v_name)::regclass
        and not exists (select from pg_constraint c where c.conindid = x.indexrelid and c.conrelid = x.indrelid)
    loop
      execute regexp_replace(v_index, ' ON outbox\.' || v_name || ' ', format(' ON %I.%I ', p_schema, v_name));
    end loop;
    execute format('analyze %I.%I', p_schema, v_name);
  end loop;
  if not p_to_swap then
    execute format('drop table %I.event', p_schema);
    foreach v_name in array '{notification,recipient,connection}'::text[] loop
      execute format('drop function %I.%I', p_schema, 'project_' || v_name);
    end loop;
  end if;
end $$;
