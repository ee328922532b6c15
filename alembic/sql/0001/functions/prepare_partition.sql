-- Makes the table for the log's month of a day beside the log, where it can be filled from an archive; returns its name,
-- or null if it is there. To make it as a part of the log at once would wait for every transaction that has appended and
-- is still open, and all others would queue behind.
create function outbox.prepare_partition(p_day date) returns text language plpgsql as $$
declare
  v_name text := 'event_' || to_char(p_day, 'YYYY_MM');
begin
  if to_regclass('outbox.' || v_name) is not null then
    return null;
  end if;
  perform pg_advisory_xact_lock(hashtext('outbox partition'));  -- one maker at a time
  -- a query, since names that were looked up before are remembered
  if exists (select from pg_class where relname = v_name and relnamespace = 'outbox'::regnamespace) then
    return null;
  end if;
  execute format('create table outbox.%I (like outbox.event including defaults including storage)', v_name);
  return v_name;
end $$;
