-- The rows of whatsmeow's tables that are about these addresses: contacts, sessions, keys, secrets, the lid map, each
-- as JSON without its binary values, which are keys. Optionally they are deleted.
--
-- All text columns of all of its tables are looked at, so that a table of a later release of whatsmeow is not missed;
-- only those that name the account itself are not. An address is written there as a JID with or without a device
-- (digits:5@s.whatsapp.net), as the Signal protocol has it (digits:5; of a lid digits_1:5), or as digits alone in the
-- lid map.
create function outbox.whatsapp_rows(p_jids text[], p_delete boolean default false)
returns table (name text, held jsonb) language plpgsql as $$
declare
  v_numbers text := (select string_agg(split_part(j, '@', 1), '|') from unnest(p_jids) j where j like '%@s.whatsapp.net');
  v_lids    text := (select string_agg(split_part(j, '@', 1), '|') from unnest(p_jids) j where j like '%@lid');
  v_pattern text := concat_ws('|',
    '^(' || v_numbers || ')([.:][0-9]+)*(@s\.whatsapp\.net)?$',
    '^(' || v_lids || ')(_1([.:][0-9]+)?|([.:][0-9]+)*@lid)$',
    (select '^(' || string_agg(replace(j, '.', '\.'), '|') || ')$' from unnest(p_jids) j
     where j not like '%@s.whatsapp.net' and j not like '%@lid'));
  v_table   record;
begin
  if v_pattern = '' then
    return;
  end if;
  for v_table in
    select c.relname::text as name,
           string_agg(format('t.%I ~ $1', a.attname), ' or ') filter (where a.atttypid = 'text'::regtype) as matches,
           array_agg(a.attname::text) filter (where a.atttypid = 'bytea'::regtype) as keys
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = to_regnamespace('whatsapp') and c.relkind = 'r' and c.relname like 'whatsmeow\_%'
      and c.relname <> 'whatsmeow_device' and a.attname not in ('our_jid', 'jid')
      and (c.relname, a.attname) <> ('whatsmeow_lid_map', 'lid')
    group by c.relname having count(*) filter (where a.atttypid = 'text'::regtype) > 0
    order by c.relname
  loop
    return query execute format(
      case when p_delete then 'delete from whatsapp.%1$I t where %2$s' else 'select' end
      || case when p_delete then ' returning' else '' end || ' %1$L::text, to_jsonb(t) - $2'
      || case when p_delete then '' else ' from whatsapp.%1$I t where %2$s' end,
      v_table.name, v_table.matches) using v_pattern, coalesce(v_table.keys, '{}');
  end loop;
end $$;
