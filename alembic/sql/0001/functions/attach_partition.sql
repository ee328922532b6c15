-- Makes a table of outbox.prepare_partition the log's month of a day, with its guard: statement triggers are not
-- inherited, so each partition has its own.
create function outbox.attach_partition(p_day date) returns void language plpgsql as $$
declare
  v_from timestamptz := date_trunc('month', p_day::timestamp) at time zone 'UTC';
  v_to   timestamptz := (date_trunc('month', p_day::timestamp) + interval '1 month') at time zone 'UTC';
  v_name text        := 'event_' || to_char(p_day, 'YYYY_MM');
begin
  execute format(
    'create trigger guard before insert or update or delete or truncate on outbox.%I
       for each statement execute function outbox.refuse_change()', v_name);
  execute format('alter table outbox.event attach partition outbox.%I for values from (%L) to (%L)', v_name, v_from, v_to);
end $$;
