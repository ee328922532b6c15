-- Makes the log's partition for the month of a day, with its guard; does nothing if it is there.
-- Statement triggers are not inherited, so each partition has its own.
-- It is made beside the log and attached: to make it as a part of the log would wait for every transaction that has
-- appended and is still open, and all others would queue behind.
-- Returns whether it was made.
create function outbox.create_partition(p_day date) returns boolean language plpgsql as $$
declare
  v_from timestamptz := date_trunc('month', p_day::timestamp) at time zone 'UTC';
  v_to   timestamptz := (date_trunc('month', p_day::timestamp) + interval '1 month') at time zone 'UTC';
  v_name text        := 'event_' || to_char(p_day, 'YYYY_MM');
begin
  if to_regclass('outbox.' || v_name) is not null then
    return false;
  end if;
  perform pg_advisory_xact_lock(hashtext('outbox partition'));  -- one maker at a time
  -- a query, since names that were looked up before are remembered
  if exists (select from pg_class where relname = v_name and relnamespace = 'outbox'::regnamespace) then
    return false;
  end if;
  execute format('create table outbox.%I (like outbox.event including defaults including storage)', v_name);
  execute format(
    'create trigger guard before insert or update or delete or truncate on outbox.%I
       for each statement execute function outbox.refuse_change()', v_name);
  execute format('alter table outbox.event attach partition outbox.%I for values from (%L) to (%L)', v_name, v_from, v_to);
  return true;
end $$;
