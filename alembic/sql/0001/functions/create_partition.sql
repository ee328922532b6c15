-- Makes the log's partition for the month of a day; does nothing if it is there. Returns whether it was made.
create function outbox.create_partition(p_day date) returns boolean language plpgsql as $$
begin
  if outbox.prepare_partition(p_day) is null then
    return false;
  end if;
  perform outbox.attach_partition(p_day);
  return true;
end $$;
