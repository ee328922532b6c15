-- Makes the log's partition for the month of a day, with its guards and indexes; does nothing if it is there.
-- Statement triggers are not inherited, so each partition has its own.
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
  execute format('create table outbox.%I partition of outbox.event for values from (%L) to (%L)', v_name, v_from, v_to);
  execute format('create unique index %I on outbox.%I (stream, version)', v_name || '_stream', v_name);
  execute format(
    'create trigger guard before insert or update or delete or truncate on outbox.%I
       for each statement execute function outbox.refuse_change()', v_name);
  return true;
end $$;
