-- Guard of the log: nothing changes it, and nothing enters a partition but through outbox.event, where the
-- projections listen.
create function outbox.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% on %.% is refused: the log is append-only',
      tg_op, tg_table_schema, tg_table_name
    using errcode = 'insufficient_privilege',
          hint = 'Append a new event that says what has changed; insert into outbox.event.';
end $$;
