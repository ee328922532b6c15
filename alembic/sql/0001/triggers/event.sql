-- The log's guards and its projections. Statement triggers fire for the table that a statement names, so the
-- projections hear of every insert into outbox.event, and each partition guards itself (outbox.create_partition).
create trigger guard before update or delete or truncate on outbox.event
  for each statement execute function outbox.refuse_change();

create trigger project_connection after insert on outbox.event referencing new table as added
  for each statement execute function outbox.project_connection();
create trigger project_notification after insert on outbox.event referencing new table as added
  for each statement execute function outbox.project_notification();
create trigger project_recipient after insert on outbox.event referencing new table as added
  for each statement execute function outbox.project_recipient();
